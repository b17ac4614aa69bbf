import pytest
from worker.store.database import now
@pytest.mark.parametrize("i", range(10))
def test_a(database,i):
    with database.read() as c: print(now(c))
def test_b(empty_database): pass
