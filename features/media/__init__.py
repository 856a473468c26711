"""What a file is and what it holds, whatever its name says; FFmpeg for what libsndfile lacks."""
