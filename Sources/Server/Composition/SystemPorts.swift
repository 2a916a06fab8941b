import BlobStore
import Foundation
import Workflow

/// The time of day of this machine.
struct SystemClock: Workflow.Clock {
    func now() -> UTCInstant {
        UTCInstant(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded(.down)))
    }
}

/// Randomness of OpenSSL's generator, which this machine's kernel seeds: a request's id costs no system call.
struct SystemEntropy: Entropy {
    func bytes(_ count: Int) -> [UInt8] { OpenSSLEntropy().bytes(count) }
}
