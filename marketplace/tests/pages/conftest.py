from marketplace.tests.items.conftest import plant as plant
from marketplace.tests.items.conftest import published as published
