"""Tables that a recipe makes and draws from like catalogues: casts of voices, negative phrases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import Entry
from audiosynth.dice import ClipDice
from audiosynth.errors import AudiosynthError
from audiosynth.language.compiler import Compiler
from audiosynth.language.compiler import Path as RecipePath
from audiosynth.language.nodes import ConstMap, Node, Scope
from audiosynth.speech.negatives import NegativesSpec, find_negatives
from audiosynth.speech.speaking import require_voice
from audiosynth.speech.voices import Voice, default_cast

MAX_VOICES: Final = 100_000
GROUPS: Final = ("path", "variant", None)
"""What of a cast may not be in two splits: the voice, all voices of a variant, or nothing."""


def table_of_voices(compiler: Compiler, raw: Any, path: RecipePath, *, name: str, seed: int) -> tuple[Entry, ...]:
    """Return a cast: `n` voices, each drawn with dice of its own; problems go to the compiler.

    Parameters
    ----------
    compiler
        Knows no names: a voice is drawn once for the whole set.
    raw
        ``{n: 200, group: path, <fields of a voice>: …}`` or ``{n: 200, of: …}``, a voice or a draw of whole ones.
    path
        Where it stands in the recipe.
    name
        Of the table.
    seed
        The recipe's.
    """
    n = raw.get("n") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MAX_VOICES:
        compiler.fail(
            path, f"a cast is {{n: 1 to {MAX_VOICES:,}, …}} with the fields of a voice or `of`, got {raw!r:.80}"
        )
        return ()
    if raw.get("group", "path") not in GROUPS:
        compiler.fail((*path, "group"), f"expected path (each voice), variant or null, got {raw['group']!r}")
    fields = {key: value for key, value in raw.items() if key not in ("n", "group", "of")}
    if "of" in raw and fields:
        compiler.fail(path, f"`of` holds whole voices, so '{next(iter(fields))}' has no place beside it")
    here = compiler.at("voices").at(name)
    node = here.compile(raw.get("of", fields), path)
    missing = {key: here.at(key).compile(tree, (*path, key)) for key, tree in default_cast().items()}
    width = len(str(n - 1))
    found = []
    for i in range(n):
        entry = _voice(node, missing, ClipDice(seed, "voices", i), f"{name}-{i:0{width}d}", compiler, path)
        if entry is None:
            return ()
        found.append(entry)
    return tuple(found)


def _voice(
    node: Node, missing: Mapping[str, Node], dice: ClipDice, name: str, compiler: Compiler, path: RecipePath
) -> Entry | None:
    scope = Scope(dice, lambda *_: ())
    try:
        tree = node.draw(scope)
        if not isinstance(tree, Mapping):
            compiler.fail(path, f"a voice is a map of its fields, got {tree!r:.80}")
            return None
        if tree.get("engine", "espeak") == "espeak":
            tree = {**{key: item.draw(scope) for key, item in missing.items() if key not in tree}, **tree}
        voice = Voice.model_validate({**tree, "name": name})
        require_voice(voice)
    except ValidationError as error:
        for loc, message in registry.explain(error, "a voice"):
            compiler.fail((*path, *loc), message)
        return None
    except AudiosynthError as error:
        compiler.fail(path, str(error))
        return None
    meta = ConstMap(voice.model_dump(mode="json"))
    return Entry(name.rsplit("-", 1)[0], name, _sha256(meta), meta)


def table_of_negatives(
    compiler: Compiler, raw: Any, path: RecipePath, *, name: str, seed: int, folder: Path
) -> tuple[Entry, ...]:
    """Return negative phrases; problems go to the compiler."""
    from audiosynth.speech import espeak

    try:
        spec = NegativesSpec.model_validate(raw)
        found = find_negatives(
            spec,
            transcribe=lambda texts, language: espeak.transcribe(tuple(texts), language=language),
            folder=folder,
            seed=seed,
        )
    except ValidationError as error:
        for loc, message in registry.explain(error, "negatives"):
            compiler.fail((*path, *loc), message)
        return ()
    except AudiosynthError as error:
        compiler.fail(path, str(error).removeprefix("negatives: "))
        return ()
    rows = [ConstMap(negative.as_dict()) for negative in found]
    return tuple(Entry(name, f"{name}-{i}", _sha256(row), row) for i, row in enumerate(rows))


def _sha256(meta: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(meta, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
