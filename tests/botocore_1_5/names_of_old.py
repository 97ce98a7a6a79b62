"""Puts back what Python dropped after 2017, so that botocore 1.5.69 runs unmodified.

Loaded at every start of the virtual environment's Python by a `.pth` file beside it. Not by a
`sitecustomize.py`: Debian has one of its own, which comes first on the path and hides any other.
"""

import collections
import collections.abc
import importlib.util
import inspect
import sys
import types

# Gone from `collections` in Python 3.10.
for name in collections.abc.__all__:
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))

# Gone from `inspect` in Python 3.11.
if not hasattr(inspect, "getargspec"):
    ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")
    inspect.getargspec = lambda function: ArgSpec(*inspect.getfullargspec(function)[:4])


class OldFinders:
    """Lets finders of the old kind (`find_module`) import again, as until Python 3.11.

    The `six` of 2017, of which botocore carries two copies, makes `six.moves` with one.
    """

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        for finder in sys.meta_path:
            if hasattr(finder, "find_spec") or not hasattr(finder, "find_module"):
                continue
            loader = finder.find_module(fullname, path)
            if loader is not None:
                return importlib.util.spec_from_loader(fullname, OldLoader(loader))
        return None


class OldLoader:
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.load_module(spec.name)

    def exec_module(self, module):
        """Nothing is left to do: `load_module` did both steps."""


if sys.version_info >= (3, 12):
    sys.meta_path.append(OldFinders)

# Gone in Python 3.13. The HTTP library that botocore carries needs one function of it, for the
# character set that a response's header names.
if importlib.util.find_spec("cgi") is None:
    from email.message import Message

    def parse_header(line):
        message = Message()
        message["content-type"] = line
        (value, _), *parameters = message.get_params()
        return value, dict(parameters)

    sys.modules["cgi"] = types.ModuleType("cgi")
    sys.modules["cgi"].parse_header = parse_header
