"""A dataset's folder to the Hugging Face Hub, for whoever has a token in HF_TOKEN.

Untested against a hub: none could be reached where this was written. The calls are those that the
documentation of huggingface_hub gives. The token is read where it is used and never kept.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from db.dataset.exporting import export_dataset
from db.store import Refused, Store

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


def has_token() -> bool:
    """Whether pushing is possible at all."""
    return bool(os.environ.get("HF_TOKEN"))


def push(store: Store, name: str, repo: str) -> str:
    """Put a frozen dataset into the repository `owner/name`, which is made, private, if need be;
    its address. Refused for other names; OSError (requests' and the hub's own) where it fails."""
    if not _REPO.fullmatch(repo) or not has_token():
        raise Refused("unknown_value", field="repo", value=repo)
    from huggingface_hub import HfApi

    api = HfApi(token=os.environ["HF_TOKEN"])
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "dataset"
        export_dataset(store, folder, "hf", name)
        api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(folder_path=folder, repo_id=repo, repo_type="dataset")
    return f"https://huggingface.co/datasets/{repo}"
