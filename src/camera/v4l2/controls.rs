//! The controls of a device: all of them, new values for some, and what was
//! wanted at each opening: some devices forget when they are closed, all when
//! they are unplugged.

use rustix::io::Errno;

use super::super::settings::{ALL, Change, Control, Outcome, Wish};
use super::describe::{self, known, typed};
use super::desired::{self, Values, Wanted};
use super::nodes::Opened;
use super::{messages, sys};

/// A change that was tried.
struct Done {
    outcome: Outcome,
    wish: Wish,
    /// Whether the device is to be set so again: a button is pressed once.
    is_lasting: bool,
}

/// Controls that an automatic takes over while it is on, and the automatic
/// (V4L2_CID_*): it is set first, and named when the other is refused.
#[rustfmt::skip]
const AUTOMATICS: [(u32, u32); 12] = [
    (0x0098_0900, 0x0098_0920), // brightness, autobrightness
    (0x0098_0903, 0x0098_0919), // hue, hue_auto
    (0x0098_090E, 0x0098_090C), // red_balance, auto_white_balance
    (0x0098_090F, 0x0098_090C), // blue_balance
    (0x0098_0911, 0x009A_0901), // exposure, exposure_auto
    (0x0098_0913, 0x0098_0912), // gain, autogain
    (0x0098_091A, 0x0098_090C), // white_balance_temperature
    (0x0098_0924, 0x0098_091D), // chroma_gain, chroma_agc
    (0x009A_0902, 0x009A_0901), // exposure_absolute
    (0x009A_090A, 0x009A_090C), // focus_absolute, focus_auto
    (0x009A_0911, 0x009A_0901), // iris_absolute
    (0x009A_0917, 0x009A_0918), // iso_sensitivity, iso_sensitivity_auto
];

/// All controls with their values.
pub(super) fn list(of: &Opened) -> Vec<Control> {
    let mut controls = known(of);
    // A device that does not answer is waited for 5 s by the kernel, for each
    // control: what cannot be read from one is not asked of the next.
    let mut is_well = true;
    for control in controls.iter_mut().filter(|c| !c.flags.contains(&"write_only")) {
        if is_well && let Some(kind) = describe::plain(control.kind) {
            let value = sys::control(&of.device, control.id, kind);
            is_well = !matches!(&value, Err(e) if messages::is_silent(e));
            control.value = value.ok();
        }
    }
    controls
}

/// Sets controls: automatics first, and what they had refused once more at the
/// end, so that the order in which they were asked for does not matter.
fn set(of: &Opened, changes: &[Change]) -> Vec<Done> {
    let known = known(of);
    let mut jobs: Vec<_> = expand(&known, changes).into_iter().map(|c| (c, None)).collect();
    let is_automatic = |name: &str| {
        let id = describe::find(&known, name).map(|control| control.id);
        AUTOMATICS.iter().any(|(_, automatic)| Some(*automatic) == id)
    };
    jobs.sort_by_key(|((name, _), _)| !is_automatic(name));
    for _ in 0..2 {
        for ((name, wish), end) in &mut jobs {
            if matches!(end, None | Some(Err(Refusal::Inactive(_)))) {
                *end = Some(set_one(of, &known, name, wish));
            }
        }
    }
    let is_all = changes.iter().any(|(name, _)| name == ALL);
    let mut done = Vec::new();
    for ((name, wish), end) in jobs {
        let end = match end {
            // Of those that an automatic holds, the default means nothing.
            Some(Err(Refusal::Inactive(_))) if is_all && wish == Wish::Default => continue,
            Some(Ok(value)) => Ok(value),
            Some(Err(Refusal::Inactive(why) | Refusal::Other(why))) => Err(why),
            None => continue,
        };
        let control = describe::find(&known, &name);
        let is_lasting = control.is_some_and(|control| control.kind != "button");
        let name = control.map_or(name, |control| control.name.clone());
        done.push(Done { outcome: Outcome { name, end }, wish, is_lasting });
    }
    done
}

/// Sets controls now, and at each opening from now on.
pub(super) fn set_lasting(of: &Opened, changes: &[Change], wanted: &Wanted) -> Vec<Outcome> {
    let set_or_again = |all: &mut Option<Vec<Done>>, _: &Values| match all {
        None => *all = Some(set(of, changes)),
        // A button is pressed once, and what was refused stays refused.
        Some(all) => {
            let lasting = all.iter().filter(|done| done.is_lasting && done.outcome.end.is_ok());
            let again = lasting.map(|done| (done.outcome.name.clone(), done.wish.clone()));
            set(of, &again.collect::<Vec<_>>());
        }
    };
    let keep = |all: &Option<Vec<Done>>, values: &mut Values| {
        for done in all.iter().flatten() {
            let Ok(value) = done.outcome.end else { continue };
            values.retain(|(name, _)| typed(name) != done.outcome.name);
            // At its default the device is without being told.
            if done.is_lasting && done.wish != Wish::Default {
                values.push((done.outcome.name.clone(), value));
            }
        }
    };
    let all = wanted.agree(None, set_or_again, keep);
    all.into_iter().flatten().map(|done| done.outcome).collect()
}

/// Puts the names of all that has a default in the place of "all".
fn expand(known: &[Control], changes: &[Change]) -> Vec<Change> {
    let mut expanded = Vec::new();
    for (name, wish) in changes {
        if name == ALL && *wish == Wish::Default {
            let resettable = known.iter().filter(|control| describe::has_default(control));
            expanded.extend(resettable.map(|control| (control.name.clone(), Wish::Default)));
        } else {
            expanded.push((name.clone(), wish.clone()));
        }
    }
    expanded
}

/// Why a control was not set.
enum Refusal {
    /// It may be taken when another one was set.
    Inactive(String),
    Other(String),
}

fn set_one(of: &Opened, known: &[Control], name: &str, wish: &Wish) -> Result<i64, Refusal> {
    let control = describe::find(known, name)
        .ok_or_else(|| Refusal::Other(messages::unknown(known, name)))?;
    let (value, kind) = describe::value(control, wish).map_err(Refusal::Other)?;
    let set = sys::set_control(&of.device, control.id, kind, value);
    let kept = set.map_err(|e| match e.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ACCESS) => Refusal::Inactive(messages::inactive(automatic_of(known, control))),
        _ => Refusal::Other(messages::refused(control, value, &e)),
    })?;
    if control.flags.contains(&"write_only") {
        return Ok(value);
    }
    // Read back: a driver may round without a word.
    Ok(sys::control(&of.device, control.id, kind).unwrap_or(kept))
}

/// The automatic that may hold a control.
fn automatic_of<'a>(known: &'a [Control], control: &Control) -> Option<&'a Control> {
    let (_, automatic) = AUTOMATICS.iter().find(|(held, _)| *held == control.id)?;
    known.iter().find(|control| control.id == *automatic)
}

/// Sets at an opening what is wanted. What cannot be set is no reason to show
/// no picture: it is said and left.
pub(super) fn apply(of: &Opened, wanted: &Wanted) {
    wanted.agree(
        Values::new(),
        |done, values| {
            say_set(of, &desired::changes(done, values));
            done.clone_from(values);
        },
        |_, _| {},
    );
}

fn say_set(of: &Opened, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let path = of.path.display();
    for Done { outcome: Outcome { name, end }, .. } in set(of, changes) {
        match end {
            Ok(value) => log::info!("{path}: {name} is {value}"),
            Err(why) => log::warn!("{path}: {name} was not set: {why}"),
        }
    }
}
