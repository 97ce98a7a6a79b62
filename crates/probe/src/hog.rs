//! Use of memory and CPU: until the kernel has enough of it, or the container is stopped.

const STEP_MIB: usize = 4;

/// Takes memory and touches it, so that it counts. Comes back, with a complaint, only when
/// `at_most_mib` are held and no limit has been met: the machine is not to be put at risk.
pub(crate) fn hog(at_most_mib: usize) -> String {
    let mut held: Vec<Vec<u8>> = Vec::new();
    while held.len() * STEP_MIB < at_most_mib {
        held.push(vec![0xA5; STEP_MIB << 20]);
    }
    let touched: usize = held.iter().filter(|it| it.last() == Some(&0xA5)).count();
    format!("{} MiB are held and no limit was met", touched * STEP_MIB)
}

/// Holds so much memory and uses a CPU, for ever.
pub(crate) fn be_busy(holding_mib: usize) -> ! {
    let mut held = vec![0xA5_u8; holding_mib << 20];
    loop {
        for byte in held.iter_mut().step_by(4096) {
            *byte = std::hint::black_box(byte.wrapping_add(1));
        }
        std::hint::spin_loop();
    }
}
