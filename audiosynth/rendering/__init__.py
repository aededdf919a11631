"""What `render` stands on: images, beds, gains, sums, stems, outcomes; long clips in blocks."""
