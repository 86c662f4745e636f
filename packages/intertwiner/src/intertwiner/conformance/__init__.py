"""The conformance kit: what every plugin must pass, derived from what it declares.

`intertwiner check PLUGIN`, `intertwiner.conformance.run.run(PLUGIN)` and

    pytest -p intertwiner.conformance.pytest_plugin --pyargs intertwiner.conformance --plugin PLUGIN

go through the same cases. No test code of the plugin is needed: the declarations say how every
tensor transforms. Parameters are moved off their initial values, outputs must answer to inputs,
and each check must also reject a broken twin of the model.
"""
