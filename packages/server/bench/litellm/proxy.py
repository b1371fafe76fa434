"""LiteLLM's proxy on PORT with one worker, for the model MODEL of the OpenAI-like PROVIDER: one key, no database, no logging."""

import json
import os
import tempfile

from litellm import run_server

config = {
    "model_list": [
        {
            "model_name": os.environ["MODEL"],
            "litellm_params": {
                "model": "openai/" + os.environ["MODEL"],
                "api_base": os.environ["PROVIDER"],
                "api_key": "benchmark",
            },
        }
    ],
    "general_settings": {"master_key": os.environ["KEY"]},
    "litellm_settings": {"telemetry": False, "turn_off_message_logging": True},
}

# JSON is YAML.
with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
    json.dump(config, file)

run_server(
    ["--config", file.name, "--host", "127.0.0.1", "--port", os.environ["PORT"], "--num_workers", "1", "--telemetry", "False"]
)
