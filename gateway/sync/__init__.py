"""The customer sync: all of a CRM's customers to Vainu's customer data or to Aixon, only what changed, resumable."""
