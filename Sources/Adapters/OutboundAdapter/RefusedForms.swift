import Synchronization

/// In which transfer syntaxes a server does not take images, of each SOP class apart: remembered for a while, so that not
/// every image is sent twice.
final class RefusedForms: Sendable {
    struct Form: Sendable, Hashable {
        let sopClassUID: String
        let transferSyntaxUID: String
    }
    /// After so long a server is asked anew.
    static let memory = Duration.seconds(3_600)
    /// Forms that are remembered; of more none is. There are about two hundred classes, of which a site has a few.
    private static let formsMax = 1_000

    private let forms = Mutex<[Form: ContinuousClock.Instant]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant) { self.now = now }

    func contains(_ form: Form) -> Bool {
        let now = now()
        return forms.withLock { $0[form].map { now < $0 } ?? false }
    }

    func note(_ form: Form) {
        let now = now()
        forms.withLock { forms in
            forms = forms.filter { now < $0.value }
            if forms.count < Self.formsMax { forms[form] = now + Self.memory }
        }
    }

    func forget(_ form: Form) { forms.withLock { $0[form] = nil } }
}
