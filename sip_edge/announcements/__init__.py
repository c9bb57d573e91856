"""What feature codes say: texts.toml, spoken by espeak-ng into wav files when the edge is set up or its image is built."""
