import Basics
import Workflow

/// What a Store transaction of one instance was answered with. PS3.18 §10.5.3, Annex I.
struct STOWAnswer {
    private static let depthMax = 32
    /// What an operator can do where a transfer syntax is not taken.
    private static let ofSyntax =
        ": the transfer syntax is not taken; list those that are as `transfer-syntaxes` of the destination in `routing`"

    let status: Int
    private let retryAfterSeconds: Int64?
    /// In the DICOM JSON Model; nil where there is none that can be read.
    private let json: JSONTree?

    init(_ content: HTTPSSender.Content) {
        status = content.status
        retryAfterSeconds = content.retryAfterSeconds
        json = content.body.flatMap { try? JSONTree.read($0, depthMax: Self.depthMax) }
    }

    /// What it means for the instance.
    /// - Parameter isRepeat: whether the instance was sent before, and may have arrived then.
    func outcome(of sopInstanceUID: String, at name: String, isRepeat: Bool) -> DeliveryOutcome {
        let text = "\(name) answers \(status)"
        switch status {
        case 200, 202:
            return failureReason(of: sopInstanceUID).map { failed($0, text, isRepeat) } ?? .delivered
        case 409:
            guard let reason = failureReason(of: sopInstanceUID) else {
                return .permanent(text + " without a reason")
            }
            return failed(reason, text, isRepeat)
        case 408, 425, 429, 503, 507: return .overloaded(text, retryAfterSeconds: retryAfterSeconds)
        case 415: return .permanent(text + Self.ofSyntax)
        case 400, 406, 411, 413, 422: return .permanent(text)
        // Not this instance's fault, nor mended by the next: its operator or ours has to see to it.
        case 300...399: return .unreachable(text + "; redirects are not followed")
        case 401, 403: return .unreachable(text + ": the token or its scope is not taken")
        case 502, 504: return .unreachable(text)
        case 404, 405, 410: return .unreachable(text + ": there is no Store service at the URL")
        default: return .transient(text)
        }
    }

    /// Whether the instance may be taken in another form: the transfer syntax of its images is not. Some say so of the
    /// class, which they do not take in that syntax. RFC 9110 §15.5.16, PS3.18 Table I.2-2.
    func refusesForm(of sopInstanceUID: String) -> Bool {
        switch status {
        case 415: true
        case 200, 202, 409:
            switch failureReason(of: sopInstanceUID) {
            case 0x0122, 0xC122: true
            default: false
            }
        default: false
        }
    }

    /// PS3.18 Table I.2-2, PS3.4 Table B.2-1.
    private func failed(_ reason: Int, _ text: String, _ isRepeat: Bool) -> DeliveryOutcome {
        let digits = String(reason, radix: 16, uppercase: true)
        let words = text + ", reason " + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        switch reason {
        case 0x0111 where isRepeat: return .delivered
        case 0xA700...0xA7FF: return .overloaded(words, retryAfterSeconds: retryAfterSeconds)
        case 0x0110, 0x0213: return .transient(words)
        case 0xC122: return .permanent(words + Self.ofSyntax)
        default: return .permanent(words)
        }
    }

    /// Failure Reason (0008,1197) of the instance's item in Failed SOP Sequence (0008,1198), or of a part that could
    /// not be read, in Other Failures Sequence (0008,119A): one instance was sent. nil where nothing failed.
    private func failureReason(of sopInstanceUID: String) -> Int? {
        let failed = items("00081198")
        let own = failed.first { Self.text($0["00081155"]) == sopInstanceUID } ?? failed.first
        guard let item = own ?? items("0008119A").first else { return nil }
        return Self.number(item["00081197"]) ?? 0xC000
    }

    private func items(_ tag: String) -> [JSONTree] {
        guard case .array(let items)? = json?[tag]?["Value"]?.value else { return [] }
        return items
    }

    private static func text(_ element: JSONTree?) -> String? {
        guard case .array(let values)? = element?["Value"]?.value, case .string(let text)? = values.first?.value else {
            return nil
        }
        return text
    }

    private static func number(_ element: JSONTree?) -> Int? {
        guard case .array(let values)? = element?["Value"]?.value, case .number(let text)? = values.first?.value,
            let number = Int(text), (0...0xFFFF).contains(number)
        else { return nil }
        return number
    }
}
