#!/bin/sh
# Everything that can be checked without a test, or only the steps named. Called by ./run check.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python
chosen="$*"
names=$(sed -n 's/^step \([a-z]*\) .*/\1/p' scripts/check.sh | paste -s -d ' ' -)
for wanted in $chosen; do
    case " $names " in *" $wanted "*) continue ;; esac
    echo "check: there is no step '$wanted', only: $names" >&2
    exit 2
done
output=$(mktemp)
trap 'rm -f "$output"' EXIT
failed=

step() { # step NAME COMMAND...: one line when all is well, the whole output when not
    name=$1
    shift
    case " $chosen " in "  " | *" $name "*) ;; *) return ;; esac
    printf '%-12s' "$name"
    if "$@" >"$output" 2>&1; then
        echo ok
    else
        echo FAILED
        cat "$output"
        failed="$failed $name"
    fi
}

as_production() { # made-up secrets: the check looks at what the settings say, it connects to nothing
    VBALANCE_PRODUCTION=1 VBALANCE_HOSTS=robot.example.com \
        VBALANCE_SECRET_KEY="$("$python" -c 'import secrets; print(secrets.token_urlsafe(50))')" "$@"
}

step format "$python" -m ruff format --check .
step lint "$python" -m ruff check .
step types "$python" -m mypy .
step layers "$python" -c 'from importlinter.cli import lint_imports_command as check; check()'
step migrations "$python" -m vbalance.stores "$python" manage.py makemigrations --check --dry-run
step deploy as_production "$python" manage.py check --deploy --fail-level WARNING
step openapi "$python" manage.py spectacular --validate --fail-on-warn --file "$output.yaml"
step docs "$python" scripts/check_docs.py
step shell sh -n run scripts/*.sh
rm -f "$output.yaml"

[ -z "$failed" ] || {
    echo "check: failed:$failed"
    exit 1
}
