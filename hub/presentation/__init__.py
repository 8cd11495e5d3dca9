"""What pages show: words, bars and times."""
