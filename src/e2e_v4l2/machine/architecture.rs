//! The processors that QEMU emulates, with the names that QEMU and Debian have for them.
//!
//! Called by `machine`. A machine of another architecture than the host's has packages of its own for all that it runs.

/// A processor, and a machine with nothing but it.
#[derive(Debug)]
pub(crate) struct Architecture {
    /// As Debian calls it.
    pub(crate) name: &'static str,
    /// The package that depends on the newest stock kernel.
    pub(crate) kernel: &'static str,
    pub(crate) qemu: &'static str,
    /// No firmware, no disk, no VGA, no USB of QEMU's own: each costs seconds under emulation.
    pub(crate) bare: &'static str,
    /// The console is the only output; what only real hardware needs is left out.
    pub(crate) kernel_options: &'static str,
}

pub(crate) const PC: Architecture = Architecture {
    name: "amd64",
    kernel: "linux-image-amd64",
    qemu: "qemu-system-x86_64",
    bare: "-M pc,usb=off,vmport=off",
    // On a busy host the timer can be late for the kernel's check of it, which then panics.
    kernel_options: "console=ttyS0 nokaslr random.trust_cpu=on tsc=reliable no_timer_check",
};

/// TCG on all: KVM needs the host's own processor.
pub(crate) const ARM64: Architecture = Architecture {
    name: "arm64",
    kernel: "linux-image-arm64",
    qemu: "qemu-system-aarch64",
    bare: "-M virt -cpu cortex-a53",
    kernel_options: "console=ttyAMA0 nokaslr",
};

pub(crate) const ARMHF: Architecture = Architecture {
    name: "armhf",
    kernel: "linux-image-armmp",
    qemu: "qemu-system-arm",
    // Above 4 GB, where QEMU would place its devices, this kernel sees nothing.
    bare: "-M virt,highmem=off -cpu cortex-a15",
    kernel_options: "console=ttyAMA0",
};

impl Architecture {
    /// Whether it runs the programs of the host.
    pub(crate) fn is_the_hosts(&self) -> bool {
        self.name == PC.name
    }
}
