"""What happened, as a kind with parameters; the sentence is made in the language of its reader."""
