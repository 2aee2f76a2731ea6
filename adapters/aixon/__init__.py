"""Appier Aixon, csv-upload: customer data cells. See NOTES.md."""
