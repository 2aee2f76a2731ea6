"""Appier Aixon, csv-upload: for now the simulator that `gateway simulate` mounts."""
