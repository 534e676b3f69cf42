"""What companies call their services: a trade each, from the edge to the back."""

TRADES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("harbour", ("quay-web", "berth-planner", "tide-api", "customs-gate", "crane-control", "manifest", "pilots")),
    (
        "clinic",
        ("patient-portal", "appointments", "triage-api", "lab-results", "pharmacy", "referrals", "billing-desk"),
    ),
    ("railway", ("journey-web", "seat-broker", "timetable-api", "fare-rules", "platform-board", "crew-roster", "lost")),
    ("library", ("reading-room", "loans", "catalogue-api", "isbn-resolver", "fines", "holdings", "recommend")),
    ("brewery", ("taproom", "order-desk", "batch-api", "recipe-book", "kegs", "excise", "hop-prices")),
    ("museum", ("visitor-web", "ticket-office", "exhibits-api", "audio-guide", "donations", "archive", "floor-plan")),
    ("solar", ("owner-app", "yield-api", "inverter-hub", "tariffs", "forecast", "grid-export", "alerts")),
    ("vet", ("pet-app", "visits-api", "vaccines", "insurers", "reminders", "kennel", "chips")),
    ("orchard", ("farm-shop", "basket-api", "harvest-plan", "pallet-tracker", "cold-store", "pickers", "weather-feed")),
    ("auction", ("bid-room", "bidding-api", "lot-images", "settlement", "consignors", "appraisal", "notices")),
    ("cinema", ("foyer", "screening-api", "seat-locks", "vouchers", "snacks", "trailers", "loyalty")),
    ("courier", ("send-web", "label-api", "route-engine", "depot-scan", "proofs", "claims-desk", "rates")),
)

ENVIRONMENTS = ("", "prod-", "", "live-")
ACTORS = (
    ("gitlab-ci", "deployer"),
    ("buildkite", "release"),
    ("jenkins", "ci-deploy"),
    ("spinnaker", "delivery"),
    ("argo", "gitops"),
    ("github-actions", "ship-it"),
)
PEOPLE = ("n.haddad", "o.lindqvist", "p.moreau", "r.tanaka", "s.kowalczyk", "t.adeyemi", "u.castro", "v.ilic")
PARTNERS = ("paylink", "geocoda", "mailcannon", "fraudwatch", "textbird", "taxmatic", "idproof", "shipquote")
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2", "eu-west-1")
