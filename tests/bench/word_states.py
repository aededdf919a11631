"""Words by their states: a network that knows which part of which word a moment is of, and the best way through them.

What the benches on human speech share: a word is a row of states that follow each other, a small network gives each moment's
chance to be in each state of each word, and Viterbi's algorithm finds the word with the likeliest way through its states
(A. J. Viterbi, IEEE Trans. Inf. Theory 13, 1967; a network in place of densities: N. Morgan and H. Bourlard, 1990). Against
features at fixed fractions of a word it does not matter how long each sound lasts, or that endpoints were missed.
"""

from __future__ import annotations

import warnings

import numpy as np

SR, N_FFT, HOP, N_MELS, FMIN, FMAX = 8000, 256, 80, 32, 80, 3800
FLOOR_DB = 60.0
N_MFCC, N_LEVEL = 8, 2
MEAN = 0.7  # of the mean cepstrum is taken out; of the first N_LEVEL, level and slope, all
AROUND, TAKEN, HOPS = (
    5,
    2,
    2,
)  # frames on either side of a moment, every which of them is heard, frames from moment to moment
N_STATES, N_HIDDEN, N_NETWORKS = 5, 128, 3
BATCH, N_BATCHES = 200, 4000  # as many steps for many words as for few, so that who has fewer is not trained less
SKIP = -2.0  # log chance of a word that begins in its second state or ends before its last
N_JITTERED, MISSED_START, MISSED_END = 1, (-0.1, 0.2), (-0.25, 0.15)  # endpoints that missed, in lengths of the word


def log_mel(y: np.ndarray) -> np.ndarray:
    """Return the log-mel spectrogram (n_mels, n_frames) in dB, not below -60 dB re its loudest cell."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=y / (np.abs(y).max() + 1e-9), sr=SR, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, fmin=FMIN, fmax=FMAX
    )
    s = 10.0 * np.log10(power + 1e-10)
    return np.maximum(s, s.max() - FLOOR_DB)


def endpoints(s: np.ndarray) -> tuple[int, int]:
    """Return the first frame of a word and the one after its last: louder than what is under it, and not 30 dB below its top."""
    loud = 10.0 * np.log10(np.sum(10.0 ** (s / 10.0), axis=0))
    loud = np.convolve(np.pad(loud, 1, mode="edge"), np.ones(3) / 3.0, mode="valid")
    top = loud.max()
    over = np.flatnonzero(loud > max(top - 30.0, min(np.percentile(loud, 5) + 6.0, top - 12.0)))
    return int(over[0]), int(over[-1]) + 1


def moments(s: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return what is heard at each moment of a stretch, (n_moments, n_features): cepstra of the frames around it.

    Cepstra are held against their own mean and spread over the stretch, so that rooms and microphones do not matter.
    """
    import scipy.fft

    first, last = max(0, first), min(s.shape[1], max(last, first + 8))
    c = scipy.fft.dct(s[:, first:last], axis=0, norm="ortho")[:N_MFCC]
    weight = np.where(np.arange(N_MFCC) < N_LEVEL, 1.0, MEAN)[:, None]
    c = c - weight * c.mean(axis=1, keepdims=True)
    c = c / (c.std(axis=1, keepdims=True) + 1.0)
    c = np.pad(c, ((0, 0), (AROUND, AROUND)), mode="edge")
    seen = np.lib.stride_tricks.sliding_window_view(c, 2 * AROUND + 1, axis=1)[:, ::HOPS, ::TAKEN]
    return seen.transpose(1, 0, 2).reshape(seen.shape[1], -1)


def heard(words: list[np.ndarray], n_jittered: int) -> list[list[np.ndarray]]:
    """Return the moments of each word: between its endpoints, and for training also between some that missed."""
    rng = np.random.default_rng(0)
    out = []
    for y in words:
        s = log_mel(y)
        a, b = endpoints(s)
        found = [moments(s, a, b)]
        for _ in range(n_jittered):
            early, late = rng.uniform(*MISSED_START), rng.uniform(*MISSED_END)
            found.append(moments(s, a + int(early * (b - a)), b + int(late * (b - a))))
        out.append(found)
    return out


class WordStates:
    """A classifier of `n_words` words; `fit` and `predict` take sounds at 8 kHz."""

    def __init__(self, n_words: int) -> None:
        self.n_words = n_words

    def fit(self, words: list[np.ndarray], labels: list[int]) -> WordStates:
        """Learn from words; the states of each are taken to be equally long."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier
        from sklearn.preprocessing import StandardScaler

        found = [(one, label) for some, label in zip(heard(words, N_JITTERED), labels, strict=True) for one in some]
        x = np.concatenate([one for one, _ in found])
        states = np.concatenate([label * N_STATES + np.arange(len(one)) * N_STATES // len(one) for one, label in found])
        self.scaler = StandardScaler().fit(x)
        x = self.scaler.transform(x)
        epochs = max(1, round(N_BATCHES * BATCH / len(x)))
        networks = [
            MLPClassifier((N_HIDDEN,), alpha=0.01, batch_size=BATCH, max_iter=epochs, tol=0.0, random_state=i)
            for i in range(N_NETWORKS)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of steps is meant
            self.networks = [network.fit(x, states) for network in networks]
        return self

    def scores(self, words: list[np.ndarray]) -> np.ndarray:
        """Return (n_words_heard, n_words): mean log chance along the best way through each word's states."""
        found = [some[0] for some in heard(words, 0)]
        x = self.scaler.transform(np.concatenate(found))
        logs = sum(np.log(network.predict_proba(x) + 1e-3) for network in self.networks)
        return np.array([self._best(part) for part in np.split(logs, np.cumsum([len(one) for one in found])[:-1])])

    def predict(self, words: list[np.ndarray]) -> np.ndarray:
        """Return the likeliest word of each."""
        return self.scores(words).argmax(axis=1)

    def _best(self, logs: np.ndarray) -> np.ndarray:
        logs = logs.reshape(len(logs), self.n_words, N_STATES)
        way = np.full((self.n_words, N_STATES), -np.inf)
        way[:, :2] = logs[0, :, :2] + np.array([0.0, SKIP])
        for now in logs[1:]:
            before = np.concatenate([np.full((self.n_words, 1), -np.inf), way[:, :-1]], axis=1)
            way = np.maximum(way, before) + now
        return np.maximum(way[:, -1], way[:, -2] + SKIP) / len(logs)
