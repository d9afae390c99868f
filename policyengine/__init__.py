"""policyengine: decides whether software may enter a medicine factory, and proves why."""

__version__ = "0.1.0"
__all__ = ["__version__"]
