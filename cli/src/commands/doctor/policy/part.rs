//! IAM limits how long a policy is: a managed one holds less than half of ours.

use clap::ValueEnum;
use serde_json::Value;

use super::place::Place;

/// Characters that IAM takes, white space left out: of a managed policy, and of all of a role's own
/// policies together.
pub(super) const MANAGED: usize = 6144;
pub(super) const OWN: usize = 10_240;

/// What is printed of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The whole policy
    All,
    /// One managed policy: network, cache, queues, tables and schedule
    Infrastructure,
    /// Another managed policy: API, functions, and the mappings that feed the functions
    Functions,
    /// The third managed policy: the roles and the logs of the functions
    Roles,
}

impl Part {
    pub(super) fn holds(self, place: Place) -> bool {
        match self {
            Self::All => true,
            Self::Infrastructure => place < Place::LinkedRoles,
            Self::Functions => (Place::LinkedRoles..Place::LogGroups).contains(&place),
            Self::Roles => place >= Place::LogGroups,
        }
    }

    /// What to do with `document`.
    pub(in super::super) fn advice(self, document: &Value) -> String {
        let length = document.to_string().len();
        let fits = length <= self.limit();
        let todo = match (self, fits) {
            (Self::All, true) => {
                "attach the policy to a role (`aws iam put-role-policy`), or print the policy in \
                 three parts that fit managed policies"
            }
            (Self::All, false) => {
                "too long: print the policy in three parts that fit managed policies"
            }
            (_, true) => {
                "create a policy from each part (`aws iam create-policy`) and attach all of them \
                 to the user or role"
            }
            (_, false) => "too long: split the statements by hand",
        };
        let whose = match self {
            Self::All => "a role's own policies",
            Self::Infrastructure | Self::Functions | Self::Roles => "a managed policy",
        };
        let parts = match self {
            Self::All => {
                ": `--print-policy=infrastructure`, `--print-policy=functions`, \
                 `--print-policy=roles`"
            }
            Self::Infrastructure | Self::Functions | Self::Roles => "",
        };
        let limit = self.limit();
        format!("{length} of the {limit} characters of {whose}: {todo}{parts}")
    }

    const fn limit(self) -> usize {
        match self {
            Self::All => OWN,
            Self::Infrastructure | Self::Functions | Self::Roles => MANAGED,
        }
    }
}
