"""Indexes that hold all that a TV's list asks for."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SHOWN = ("audience", "kind", "root_pk", "mime_type")
INDEXES = {
    "ix_files_listing": ("folder_pk", "gone_at", "sort_name", "pk", *SHOWN),
    "ix_files_shown": ("gone_at", *SHOWN, "folder_pk"),
    "ix_files_by_name": ("gone_at", "sort_name", "pk", *SHOWN, "folder_pk"),
    "ix_files_by_time": ("gone_at", "created_at", "pk", *SHOWN, "folder_pk"),
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name="files")
        op.create_index(name, "files", list(columns))
