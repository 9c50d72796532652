//! Names and versions to handlers.

use std::collections::BTreeMap;

use crate::activity::{Activity, ActivityHandler, ActivityRegistration, States};
use crate::context::LATEST;
use crate::dispatch::Capped;
use crate::history::{HISTORY_FORMAT, Place};
use crate::metadata;
use crate::orchestration::{Orchestration, OrchestrationHandler, OrchestrationRegistration};
use crate::providers::Skills;

/// The functions of a program do not fit together; found before anything runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two functions have one name (and, for orchestrations, one version).
    #[error("{what} `{name}` is registered twice, at {first} and at {second}; give one of them another `name = \"..\"`{}", if *.what == "orchestration" { " or `version = \"..\"`" } else { "" })]
    Duplicate {
        /// `activity` or `orchestration`.
        what: &'static str,
        /// The name, with the version of an orchestration.
        name: String,
        /// The one place.
        first: Place,
        /// The other place.
        second: Place,
    },
    /// An activity takes a state that was not given.
    #[error("activity `{activity}` at {place} takes a `State<{type_name}>`; add `.state(..)` with one to the builder")]
    MissingState {
        /// The activity.
        activity: &'static str,
        /// Where it stands.
        place: Place,
        /// The type.
        type_name: &'static str,
    },
    /// The builder says which version is the latest, and there is no such one.
    #[error("`latest_version` names version {version} of `{name}`, which is not registered here; {known}")]
    UnknownVersion {
        /// The orchestration.
        name: String,
        /// The version.
        version: String,
        /// The versions there are.
        known: String,
    },
    /// The builder says how many of an activity run at once, and there is none of that name.
    #[error("`max_concurrent` names the activity `{activity}`, which is not registered here; registered here: {known}")]
    UnknownActivity {
        /// The name.
        activity: String,
        /// The names there are.
        known: String,
    },
}

/// All that a runtime can run.
#[derive(Default, Clone)]
pub(crate) struct Registry {
    orchestrations: BTreeMap<(String, String), OrchestrationHandler>,
    activities: BTreeMap<String, ActivityHandler>,
    /// Which version of a name counts as its latest, where that is not the newest.
    latest: BTreeMap<String, String>,
}

impl Registry {
    /// Everything annotated in this program.
    pub(crate) fn automatic() -> Result<Self, RegistryError> {
        let mut registry = Self::default();
        for registration in inventory::iter::<OrchestrationRegistration> {
            registry.add_orchestration((registration.handler)())?;
        }
        for registration in inventory::iter::<ActivityRegistration> {
            registry.add_activity((registration.handler)())?;
        }
        Ok(registry)
    }

    pub(crate) fn add<O: Orchestration>(&mut self) -> Result<(), RegistryError> {
        self.add_orchestration(OrchestrationHandler::of::<O>())
    }

    pub(crate) fn add_activity_of<A: Activity>(&mut self) -> Result<(), RegistryError> {
        self.add_activity(ActivityHandler::of::<A>())
    }

    /// One function may be added twice, by hand and automatically; two functions may not.
    fn add_orchestration(&mut self, handler: OrchestrationHandler) -> Result<(), RegistryError> {
        let key = (handler.name.to_owned(), handler.version.to_owned());
        match self.orchestrations.get(&key) {
            Some(first) if first.place != handler.place => Err(RegistryError::Duplicate {
                what: "orchestration",
                name: format!("{} {}", handler.name, handler.version),
                first: first.place.clone(),
                second: handler.place,
            }),
            _ => {
                self.orchestrations.insert(key, handler);
                Ok(())
            }
        }
    }

    fn add_activity(&mut self, handler: ActivityHandler) -> Result<(), RegistryError> {
        match self.activities.get(handler.name) {
            Some(first) if first.place != handler.place => Err(RegistryError::Duplicate {
                what: "activity",
                name: handler.name.to_owned(),
                first: first.place.clone(),
                second: handler.place,
            }),
            _ => {
                self.activities.insert(handler.name.to_owned(), handler);
                Ok(())
            }
        }
    }

    /// Puts something before the body of each activity.
    pub(crate) fn intercept_activities(&mut self, intercept: impl Fn(ActivityHandler) -> ActivityHandler) {
        let activities = std::mem::take(&mut self.activities);
        self.activities = activities.into_iter().map(|(name, handler)| (name, intercept(handler))).collect();
    }

    /// Whether every state that an activity takes is there.
    pub(crate) fn check_states(&self, states: &States) -> Result<(), RegistryError> {
        for handler in self.activities.values() {
            if let Some(missing) = handler.states.iter().find(|key| !states.contains_key(key)) {
                return Err(RegistryError::MissingState {
                    activity: handler.name,
                    place: handler.place.clone(),
                    type_name: missing.type_name,
                });
            }
        }
        Ok(())
    }

    /// Says which versions count as the latest of their names.
    pub(crate) fn set_latest(&mut self, latest: &BTreeMap<String, String>) -> Result<(), RegistryError> {
        let missing = |(name, version): &(&String, &String)| self.orchestration(name, version).is_none();
        if let Some((name, version)) = latest.iter().find(missing) {
            let (name, version, known) = (name.clone(), version.clone(), self.known(name));
            return Err(RegistryError::UnknownVersion { name, version, known });
        }
        self.latest.clone_from(latest);
        Ok(())
    }

    /// Whether every activity that is capped is there.
    pub(crate) fn check_caps<'a>(&self, capped: impl Iterator<Item = &'a Capped>) -> Result<(), RegistryError> {
        for capped in capped {
            if let Capped::Name(name) = capped
                && !self.activities.contains_key(name)
            {
                let known: Vec<_> = self.activities.keys().map(|name| format!("`{name}`")).collect();
                return Err(RegistryError::UnknownActivity { activity: name.clone(), known: known.join(", ") });
            }
        }
        Ok(())
    }

    /// What the attributes say of how many run at once.
    pub(crate) fn activity_caps(&self) -> std::collections::BTreeMap<Capped, usize> {
        let cap =
            |handler: &ActivityHandler| Some((Capped::Name(handler.name.to_owned()), handler.concurrent_max? as usize));
        self.activities.values().filter_map(cap).collect()
    }

    /// The function of this name and version; for [`LATEST`] the newest, unless another counts as that.
    pub(crate) fn orchestration(&self, name: &str, version: &str) -> Option<&OrchestrationHandler> {
        if version == LATEST {
            if let Some(latest) = self.latest.get(name) {
                return self.orchestrations.get(&(name.to_owned(), latest.clone()));
            }
            let of_name = self.orchestrations.iter().filter(|((known, _), _)| known == name);
            return of_name.max_by_key(|((_, version), _)| in_order(version)).map(|(_, handler)| handler);
        }
        self.orchestrations.get(&(name.to_owned(), version.to_owned()))
    }

    pub(crate) fn activity(&self, name: &str) -> Option<&ActivityHandler> {
        self.activities.get(name)
    }

    pub(crate) fn orchestrations(&self) -> impl Iterator<Item = &OrchestrationHandler> {
        self.orchestrations.values()
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = &ActivityHandler> {
        self.activities.values()
    }

    pub(crate) fn activity_names(&self) -> Vec<String> {
        self.activities.keys().cloned().collect()
    }

    /// What turns a runtime with these handlers can run.
    pub(crate) fn skills(&self) -> Skills {
        let versions =
            |(name, version): &(String, String)| [version.clone(), LATEST.to_owned()].map(|v| (name.clone(), v));
        let handlers = self.orchestrations.keys().flat_map(versions);
        let of_each_format = |(name, version): (String, String)| {
            (1..=HISTORY_FORMAT).map(move |format| metadata::needs(format, &name, &version))
        };
        let values = handlers.flat_map(of_each_format).chain([metadata::ANYBODY.to_owned()]);
        Skills::new(metadata::NEEDS_LABEL, values)
    }

    /// Why a runtime with these handlers cannot run an orchestration of this name and version, with a history of this
    /// format.
    pub(crate) fn lacks(&self, format: u32, name: &str, version: &str) -> Option<String> {
        if self.orchestration(name, version).is_none() {
            let known = self.known(name);
            return Some(format!("no orchestration `{name}` of version {version} is registered; {known}"));
        }
        (format > HISTORY_FORMAT)
            .then(|| format!("its history is of format {format}, and this build reads formats up to {HISTORY_FORMAT}"))
    }

    /// As [`Registry::lacks`], for an instance whose record says that it needs this.
    pub(crate) fn lacks_for(&self, name: &str, version: &str, needs: Option<&str>) -> Option<String> {
        let format = needs.and_then(|needs| needs.split(' ').next()?.parse().ok());
        self.lacks(format.unwrap_or(HISTORY_FORMAT), name, version)
    }

    /// The versions of a name, or, if there are none, the names there are.
    pub(crate) fn known(&self, name: &str) -> String {
        let versions: Vec<_> =
            self.orchestrations.keys().filter(|(known, _)| known == name).map(|(_, v)| v.as_str()).collect();
        if !versions.is_empty() {
            return format!("versions of `{name}` here: {}", versions.join(", "));
        }
        let names: std::collections::BTreeSet<_> =
            self.orchestrations.keys().map(|(name, _)| format!("`{name}`")).collect();
        match names.len() {
            0 => "no orchestration is registered here".to_owned(),
            _ => format!("registered here: {}", names.into_iter().collect::<Vec<_>>().join(", ")),
        }
    }
}

/// `1.10.0` comes after `1.9.0`; what is no version of three numbers comes first, by its text.
fn in_order(version: &str) -> (Option<[u32; 3]>, &str) {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    let parsed = (next(), next(), next());
    let numbers = if let (Some(major), Some(minor), Some(patch)) = parsed { Some([major, minor, patch]) } else { None };
    (numbers, version)
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let mut versions = ["1.10.0", "beta", "1.9.0", "2.0.0", "1.9.12"];
        versions.sort_by_key(|version| in_order(version));
        assert_eq!(versions, ["beta", "1.9.0", "1.9.12", "1.10.0", "2.0.0"]);
    }
}
