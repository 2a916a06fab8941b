import Glibc

/// A run of the tests in which the stores seal the bodies that they write: `HILUM_TEST_SEALED=1`.
package enum SealedRun {
    package static let isOn = getenv("HILUM_TEST_SEALED").map { String(cString: $0) } == "1"
    /// The name of the key, 8 bytes, and the key, 32.
    package static let keyID = [UInt8](repeating: 0x5E, count: 8)
    package static let secret = [UInt8](repeating: 0xA1, count: 32)
}
