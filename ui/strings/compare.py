"""The Compare tab's texts: English and Chinese side by side."""

COMPARE: dict[str, tuple[str, str]] = {
    "view_side": ("Side by side", "并排"),
    "view_split": ("On a dataset", "在数据集上"),
    "view_vote": ("Blind votes", "盲评"),
    "view_board": ("Board", "排行"),
}  # fmt: skip
