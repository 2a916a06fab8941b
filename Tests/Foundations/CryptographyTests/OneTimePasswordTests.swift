import Testing

@testable import Cryptography

/// RFC 6238, RFC 4226.
struct OneTimePasswordTests {
    private static let secret = Array("12345678901234567890".utf8)

    @Test(
        "RFC 6238 appendix B: the last six digits of the test values by SHA-1",
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ] as [(Int64, String)])
    func vectors(_ seconds: Int64, _ code: String) {
        #expect(OneTimePassword.code(secret: Self.secret, step: seconds / 30) == code)
        #expect(OneTimePassword.step(of: code, secret: Self.secret, at: seconds) == seconds / 30)
    }

    @Test("RFC 6238 §5.2: a code is taken one step before and after its own, and no further")
    func window() {
        let seconds: Int64 = 1_800_000_000
        for step in -3...3 as ClosedRange<Int64> {
            let code = OneTimePassword.code(secret: Self.secret, step: seconds / 30 + step)
            let found = OneTimePassword.step(of: code, secret: Self.secret, at: seconds)
            #expect(found == (abs(step) <= 1 ? seconds / 30 + step : nil))
        }
    }

    @Test("What is no code of six digits fits no step", arguments: ["", "28708", "2870820", "28708a", "２87082"])
    func malformed(_ code: String) {
        #expect(OneTimePassword.step(of: code, secret: Self.secret, at: 59) == nil)
    }

    @Test("Bytes are compared by length and content")
    func comparison() {
        #expect(ConstantTime.areEqual([], []))
        #expect(ConstantTime.areEqual([1, 2], [1, 2]))
        #expect(!ConstantTime.areEqual([1, 2], [1, 3]))
        #expect(!ConstantTime.areEqual([1, 2], [1, 2, 0]))
    }
}
