# bash completion for weir's programs. The options are what --help says, which is the option table.
_weir() {
    local cur prev words
    COMPREPLY=()
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
    case $prev in
    -config | -log-file | -ssl-cert | -ssl-key | -ssl-ca | -socket | -file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    -path | -plugin-dir | -pkg-dir | -out-dir)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        words=$("$1" --help 2>/dev/null | grep -oE '^ +(-[A-Za-z], )?-[a-z][a-z0-9-]*' | grep -oE -- '-[a-z][a-z0-9-]+$')
        [[ $cur == --* ]] && words=$(sed 's/^/-/' <<<"$words")
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -F _weir weir-server weir-audit weir-digest weir-firewall weir-replay weir-trace pluginpkg
