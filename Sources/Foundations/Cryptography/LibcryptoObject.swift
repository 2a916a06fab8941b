/// The one owner of an object of libcrypto, which it frees with itself.
///
/// It may be shared between threads: what is at ``address`` is complete when it comes here and is only read from then on, and
/// libcrypto reads keys, certificates, curves, numbers and fetched algorithms from any thread, with locks of its own around
/// what it computes once and counts (OpenSSL 3 manual, `openssl-threads`). Whoever hands the address to libcrypto holds the
/// owner until the call returns: it is a member of the value whose method calls.
final class LibcryptoObject: Sendable {
    /// Never changed, and what is there is only read until it is freed.
    nonisolated(unsafe) let address: OpaquePointer
    private let free: @Sendable (OpaquePointer?) -> Void

    /// Takes over an object.
    /// - Parameter free: how libcrypto frees one of its kind.
    init(_ address: OpaquePointer, freedBy free: @escaping @Sendable (OpaquePointer?) -> Void) {
        self.address = address
        self.free = free
    }

    deinit { free(address) }
}
