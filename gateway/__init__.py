"""The gateway between Vainu and the CRM: receives, verifies, keeps, translates, delivers."""

__version__ = "0.1.0"
