"""`moviehouse completion`: what makes TAB work."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from moviehouse.commands import parameters as p


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="The shell to complete in.")],
    /,
    *,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Print the script that completes commands, options, and the names of questions, genres and companies.

    For bash, put the first line into ~/.bashrc. For zsh, write the script into a directory of `$fpath`. For fish,
    write it into its directory of completions.

    ```
    eval "$(moviehouse completion bash)"
    moviehouse completion zsh > ~/.zsh/completions/_moviehouse
    moviehouse completion fish > ~/.config/fish/completions/moviehouse.fish
    ```
    """
    from moviehouse.commands import app

    print(app.generate_completion(shell=shell))
    return 0
