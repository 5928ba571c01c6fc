# For `source`: a Python with exactly these packages, in a temporary folder that goes when the script ends.
#   python_with PACKAGE==VERSION...    sets $python; exits with 77 where they cannot be had
python_with() {
    local folder
    folder=$(mktemp -d)
    folders="${folders:-} $folder"
    trap 'rm -rf $folders' EXIT
    python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" ||
        { echo "cannot be tried here: no $*"; exit 77; }
    python="$folder/bin/python"
}
