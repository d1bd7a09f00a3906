"""What is wrong with a mapping, known before anything is sent."""
