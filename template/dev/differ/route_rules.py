"""The rules about routes: what they take, what they answer, and how they end."""

from dev.differ.rules import NEW_ROUTE, OFFERED, RECEIVED, SENT, Rule

ROUTES = (
    # --- routes
    Rule(
        "path-removed",
        OFFERED,
        "Nothing answers at this path any more; a renamed path is a removed one.",
        "Serve the old path too; mark it deprecated(…) and remove it after its sunset.",
    ),
    Rule(
        "operation-removed",
        OFFERED,
        "The path no longer takes this method.",
        "Keep it; mark it deprecated(…) and remove it after its sunset.",
    ),
    Rule(
        "sunset-brought-forward",
        OFFERED,
        "Callers plan by the day that was announced, or it is no longer said.",
        "Leave the day, or choose a later one; undo deprecated(…) as a whole to keep the route.",
    ),
    Rule(
        "security-tightened",
        SENT,
        "A way to sign in that was enough no longer is.",
        "Accept the old way too, until its callers have moved.",
    ),
    Rule(
        "security-scheme-changed",
        SENT,
        "The same scheme is now sent otherwise.",
        "Add a scheme of another name and accept both.",
    ),
    # --- parameters
    Rule(
        "parameter-removed",
        SENT,
        "Callers send it, and it is refused or without effect.",
        "Go on accepting it, also if it has no effect any more.",
    ),
    Rule(
        "parameter-required",
        SENT,
        "Callers do not send it, and are refused.",
        "Make it optional, with a default that means what was done before.",
    ),
    Rule(
        "parameter-form-changed",
        SENT,
        "The same value is now written otherwise (style, explode, reserved characters).",
        "Add a parameter of another name.",
    ),
    # --- request bodies
    Rule(
        "request-body-removed",
        SENT,
        "Callers send a body, and it is refused or without effect.",
        NEW_ROUTE,
    ),
    Rule(
        "request-body-required",
        SENT,
        "Callers send no body, and are refused.",
        "Make the body optional, and let its absence mean what was done before.",
    ),
    Rule(
        "request-media-type-removed",
        SENT,
        "Bodies of this media type were taken and are refused.",
        "Go on accepting it beside the new one.",
    ),
    # --- answers
    Rule(
        "response-status-removed",
        RECEIVED,
        "Callers wait for this status, and it never comes.",
        "Answer as before; another outcome deserves another route.",
    ),
    Rule(
        "response-status-added",
        RECEIVED,
        "No caller knows this outcome (a new refusal, 400 and above, would be none).",
        "Let callers ask for it by a new optional parameter, or offer another route.",
    ),
    Rule(
        "error-form-unknown",
        RECEIVED,
        "Callers read every refusal as application/problem+json, and this one is none.",
        "Raise an error of chassis/errors.py; it becomes a problem by itself.",
    ),
    Rule(
        "response-media-type-removed",
        RECEIVED,
        "Callers read this media type, and it is no longer answered.",
        "Answer it to whoever accepts it, beside the new one.",
    ),
    Rule(
        "response-header-removed",
        RECEIVED,
        "Callers read this header, and it may be missing.",
        "Go on sending it.",
    ),
    Rule(
        "cannot-be-judged",
        OFFERED,
        "It changed, and no rule is about it; what is not understood is not let through.",
        "Say it in simpler words, or accept the break with the reason why it is none.",
        "unjudged",
    ),
)
