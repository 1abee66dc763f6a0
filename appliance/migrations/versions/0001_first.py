"""The first tables, as SQL beside this file: what a later version of the tables says does not change them."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BETWEEN = "\n--\n"
"""Between two statements: triggers hold semicolons."""


def upgrade() -> None:
    connection = op.get_bind()
    file = Path(__file__).with_name(f"0001_{connection.dialect.name}.sql")
    for statement in file.read_text(encoding="utf-8").split(BETWEEN):
        connection.exec_driver_sql(statement)
