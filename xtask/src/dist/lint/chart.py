"""chart.py CHART INTO: lints the chart as `helm lint --strict` does and renders it as `helm template` does, with its
defaults and with each file of its folder `ci`, to INTO: one file per object and, as NAME.toml, each configuration."""

import pathlib
import sys

import helm_python as helm
import yaml

chart, into = map(pathlib.Path, sys.argv[1:])
sets = {"defaults": {}}
for path in sorted(chart.glob("ci/*.yaml")):
    sets[path.stem] = yaml.safe_load(path.read_text())

wrong = []
with helm.Chart.load(chart) as loaded:
    unset = [key for key in loaded.values if key not in sets.get("everything-values", {})]
    if unset:
        wrong.append(f"ci/everything-values.yaml does not set {', '.join(unset)}")
    for name, values in sets.items():
        report = helm.lint(chart, values, strict=True)
        for message in report["messages"]:
            # Severity 2 is a warning, which strict takes as an error; advice is 1.
            if message["severity"] >= 2:
                wrong.append(f"{name}: {message['path']}: {message['error']}")
        wrong += [f"{name}: {error}" for error in report["errors"]]
        # A value that the chart does not know is no error to helm, and would be tested in vain.
        wrong += [f"{name}: the chart has no value {key}" for key in values if key not in loaded.values]
        if wrong:
            continue
        count = 0
        for text in loaded.render(values, name="trial", namespace="net").values():
            for thing in filter(None, yaml.safe_load_all(text)):
                count += 1
                kind = thing["kind"].lower()
                (into / f"{name}-{kind}.yaml").write_text(yaml.safe_dump(thing))
                if kind == "configmap":
                    (into / f"{name}.toml").write_text(thing["data"]["flowd.toml"])
        print(f"chart        {name}: {count} objects")
sys.exit("\n".join(dict.fromkeys(wrong)) or 0)
