"""What all plugin records share: the form of their names and the version of the contract that they are written for."""

from __future__ import annotations

from attrs import validators

CONTRACT = 2
"""Version of the plugin contract: records, the vocabulary of `core.ir`, and what their functions may assume."""
RECORD_NAME = validators.matches_re(r"[a-z][a-z0-9_.]*")
