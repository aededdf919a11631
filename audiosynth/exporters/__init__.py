"""Exporters: labels in the formats of the field. One file each; `write(dataset, folder)`."""
