"""What this feature asks a model."""

from service.chassis.intelligence.gateway import Prompt

SUMMARIZE = Prompt("notes.summarize", version=1, instructions="Summarize in one sentence.")
