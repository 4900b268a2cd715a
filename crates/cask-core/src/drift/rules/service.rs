//! What the service is: endpoints, hosts, authentication, effect.

use super::Area::{Auth, Effect, Endpoint, Host, Operation, Risk};
use super::Direction::Service;
use super::Kind::{Added, Changed, Lowered, Raised, Removed, Unseen};
use super::Mirror::{Code, Itself, Waived};
use super::{CERTAIN, ChangeRule, RARE, row};
use crate::finding::Severity::{Breaking, Info, Warning};

pub(super) static RULES: &[ChangeRule] = &[
    row(
        (Service, Endpoint, Removed),
        "endpoint-removed",
        Breaking,
        RARE,
        Code("endpoint-new"),
        "an endpoint answers as if it were gone",
        "Calls that used to succeed are now always answered with 404, 405, 410 or 501. \
         Tools that call this endpoint will fail. Mint again without it, or ask the service's owner where it went.",
    ),
    row(
        (Service, Endpoint, Unseen),
        "endpoint-unobserved",
        Warning,
        RARE,
        Code("endpoint-new"),
        "an endpoint that used to be called was not called",
        "The baseline saw this endpoint often enough that its absence from the new capture is not chance. \
         Nothing shows that it is gone: nobody called it. Record it again, or check with the service's owner, \
         before trusting its tools.",
    ),
    row(
        (Service, Endpoint, Added),
        "endpoint-new",
        Warning,
        CERTAIN,
        Code("endpoint-unobserved"),
        "an endpoint that the baseline does not have",
        "The new capture calls an endpoint that was not there when the baseline was accepted. \
         No tool reaches it until somebody mints and approves one. Review what it does before minting again.",
    ),
    row(
        (Service, Endpoint, Changed),
        "endpoint-moved",
        Breaking,
        RARE,
        Itself,
        "an endpoint has another path or method",
        "One endpoint disappeared and another with the same answers appeared at a similar path or with another \
         method. The approved tools still call the old place. Mint again and review the new binding.",
    ),
    row(
        (Service, Host, Changed),
        "host-changed",
        Breaking,
        RARE,
        Itself,
        "the service answers at another host",
        "Endpoints of the baseline are now called at another host, and no longer at theirs. \
         The runtime will refuse the new host: it is not on the signed list. Make sure that the new host \
         belongs to the service before approving it.",
    ),
    row(
        (Service, Auth, Added),
        "auth-added",
        Breaking,
        RARE,
        Code("auth-removed"),
        "calls carry credentials where they carried none",
        "The baseline was called without credentials, and now every call has some. \
         Tools that send none will probably be refused. Mint again and configure the credential.",
    ),
    row(
        (Service, Auth, Removed),
        "auth-removed",
        Breaking,
        RARE,
        Code("auth-added"),
        "calls carry no credentials where they carried some",
        "Calls that used to be authenticated now succeed without credentials. \
         Either the service became open, which its owner should know, or the capture was made differently.",
    ),
    row(
        (Service, Auth, Changed),
        "auth-changed",
        Breaking,
        RARE,
        Itself,
        "calls authenticate in another way",
        "The kind of credential is another one, for example an API key where a bearer token was. \
         Tools send what was approved and will probably be refused. Mint again and configure the new credential.",
    ),
    row(
        (Service, Effect, Raised),
        "effect-raised",
        Breaking,
        RARE,
        Code("effect-lowered"),
        "a call does more than what was approved",
        "What was approved as one effect, for example a read, now shows signs of a stronger one. \
         An approval for the old effect should not cover it. Look at the reasons in `cask explain` and review again.",
    ),
    row(
        (Service, Effect, Lowered),
        "effect-lowered",
        Info,
        RARE,
        Code("effect-raised"),
        "a call does less than what was approved",
        "The signs that made this call a stronger effect are no longer there. \
         Nothing breaks and nothing more is allowed; minting again would ask for less.",
    ),
    row(
        (Service, Risk, Raised),
        "risk-raised",
        Warning,
        RARE,
        Code("risk-lowered"),
        "a call is riskier than what was approved",
        "New signals put this endpoint into a higher risk tier. \
         The approval was given for the lower one. Review the tool again with the new reasons.",
    ),
    row(
        (Service, Risk, Lowered),
        "risk-lowered",
        Info,
        RARE,
        Code("risk-raised"),
        "a call is less risky than what was approved",
        "Signals that raised the risk tier were not seen again, with enough calls to expect them. \
         The approval still stands, because it covers more than is needed.",
    ),
    row(
        (Service, Operation, Changed),
        "operation-changed",
        Warning,
        CERTAIN,
        Itself,
        "a GraphQL operation has another document",
        "The client sends another document under the same operation name. \
         The approved tool still sends the old one, which may stop working and may lack fields that the client now needs. \
         Differences of the answer that follow from the document are not reported again.",
    ),
    row(
        (Service, Operation, Added),
        "operation-fields",
        Warning,
        CERTAIN,
        Waived("a root field that is no longer asked for is part of operation-changed"),
        "a GraphQL operation asks for more root fields",
        "The document of this operation selects root fields that it did not select before, so that a call does more \
         under the same name. The approved tool does not do this until it is minted and approved again.",
    ),
];
