"""commands(...): a model written as C and compiled with a C compiler, as C99 with all warnings as errors."""
import shlex

C99 = "-std=c99 -Wall -Wextra -Wpedantic -Werror -ffp-contract=off -fPIC -shared".split()


def commands(runner, model, inputs, source, compiler):
    """The two commands that make source.with_suffix(".so") of a model, for data sets such as the folders `inputs`."""
    source.parent.mkdir(parents=True, exist_ok=True)
    library = source.with_suffix(".so")
    library.unlink(missing_ok=True)
    given = [word for folder in inputs for word in ("--inputs", folder)]
    return [[runner, model, *given, "--emit-c", source], [*shlex.split(compiler), *C99, source, "-o", library]]
