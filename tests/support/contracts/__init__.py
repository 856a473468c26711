"""What every encoder, corpus, model and disk promises: suites that an implementation inherits.

    class TestMine(EncoderContract):
        @pytest.fixture(scope="class")
        def encoder(self):
            return Mine()

An implementation gives the hooks that the suite's docstring names, and has all of its tests. They
know it by its public interface alone, so that one in a package of its own can inherit them too.
"""
