"""What the commands do; imported only by the command that runs, so that `gateway --help` is quick."""
