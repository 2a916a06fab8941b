import Access
import AsyncHTTPClient
import Basics
import NIOCore
import Synchronization
import Workflow

/// Feeds AuditEvents to a FHIR server: many as a batch Bundle, or one by one where it takes no batches.
/// IHE ITI TF-2 3.20 (RESTful ATNA: Send Audit Bundle, Send Audit Resource); FHIR R4 http.html#transaction.
package final class RESTfulAuditFeed: AuditFeeding {
    /// Bytes of events in one batch.
    static let batchBytesMax = 1 << 20
    private static let answerBytesMax = 4 << 20
    private static let time = TimeAmount.seconds(120)

    private let base: String
    private let sender: HTTPSSender
    private let tokens: AccessTokenSource?
    /// Set once the repository has said that it takes no batches; until this server stops.
    private let takesNoBatches = Mutex(false)

    /// - Parameter base: the FHIR base URL: https, without a slash at its end.
    package init(base: String, sender: HTTPSSender, tokens: AccessTokenSource?) {
        self.base = base
        self.sender = sender
        self.tokens = tokens
    }

    package func close() async { await sender.close() }

    package func send(_ events: [FedEvent]) async -> FeedAnswer {
        var verdicts: [FeedAnswer.Verdict] = []
        while verdicts.count < events.count {
            let rest = events[verdicts.count...]
            let answer = await sendSome(rest)
            verdicts += answer.verdicts
            if answer.failure != nil || answer.verdicts.isEmpty {
                return FeedAnswer(
                    verdicts, failure: answer.failure ?? "nothing was taken",
                    retryAfterSeconds: answer.retryAfterSeconds)
            }
        }
        return FeedAnswer(verdicts)
    }

    /// The first of the events, at least one.
    private func sendSome(_ events: ArraySlice<FedEvent>) async -> FeedAnswer {
        var (count, bytes) = (0, 0)
        for event in events {
            bytes += event.body.count
            if count > 0, bytes > Self.batchBytesMax { break }
            count += 1
        }
        if count > 1, !takesNoBatches.withLock({ $0 }) {
            if let answer = await sendBatch(Array(events.prefix(count))) { return answer }
            takesNoBatches.withLock { $0 = true }
        }
        return await sendOne(events[events.startIndex])
    }

    private func sendOne(_ event: FedEvent) async -> FeedAnswer {
        await post(base + "/AuditEvent", event.body) { answer in Self.verdict(answer.status).map { FeedAnswer([$0]) } }
            ?? FeedAnswer([], failure: "the repository answers what no create is answered with")
    }

    /// Nil where the repository takes no batches.
    private func sendBatch(_ events: [FedEvent]) async -> FeedAnswer? {
        var body = Array(#"{"resourceType":"Bundle","type":"batch","entry":["#.utf8)
        for (index, event) in events.enumerated() {
            if index > 0 { body.append(0x2C) }
            body += #"{"resource":"#.utf8
            body += event.body
            body += #","request":{"method":"POST","url":"AuditEvent"}}"#.utf8
        }
        body += "]}".utf8
        return await post(base, body) { answer in
            guard answer.status == 200 || answer.status == 201 else { return nil }
            // Broken off, or too long for so many events: it takes batches all the same.
            guard let body = answer.body else { return FeedAnswer([], failure: "the answer to a batch cannot be read") }
            return Self.verdicts(body, count: events.count)
        }
    }

    /// - Parameter read: what an answer says of the events; nil for one that says nothing of them.
    private func post(
        _ url: String, _ body: [UInt8], _ read: (HTTPSSender.Content) -> FeedAnswer?
    ) async -> FeedAnswer? {
        var headers = [
            OutboundHeader(trusted: "Content-Type", "application/fhir+json"),
            OutboundHeader(trusted: "Accept", "application/fhir+json"),
        ]
        do {
            let token = try await tokens?.token()
            if let token { headers.append(OutboundHeader(trusted: "Authorization", "Bearer " + token)) }
            let answer = try await sender.send(
                url, headers: headers, body: .bytes(ByteBuffer(bytes: body)), within: Self.time,
                bodyBytesMax: Self.answerBytesMax)
            if answer.status == 401, let token { tokens?.forget(token) }
            if let told = read(answer) { return told }
            // Who asks, or is not let in, or is at the wrong place, has to mend that; the events are as good as ever.
            guard
                [401, 403, 404, 408, 425, 429].contains(answer.status) || answer.status >= 500 && answer.status != 501
                    || (300..<400).contains(answer.status)
            else { return nil }
            return FeedAnswer(
                [], failure: "the repository answers \(answer.status)", retryAfterSeconds: answer.retryAfterSeconds)
        } catch let failure as AccessTokenSource.Failure {
            return FeedAnswer([], failure: failure.text, retryAfterSeconds: failure.retryAfterSeconds)
        } catch let refusal as OutboundRefusal {
            return FeedAnswer([], failure: refusal.rawValue)
        } catch let failure as OutboundFailure {
            return FeedAnswer([], failure: failure.rawValue)
        } catch {
            return FeedAnswer([], failure: "the request was given up")
        }
    }

    /// What one status says of one event: nil for what says that it may be taken another time, or that no event at all is
    /// taken as it is sent.
    static func verdict(_ status: Int) -> FeedAnswer.Verdict? {
        switch status {
        case 200..<300: .taken
        case 400, 409, 410, 412, 413, 422: .refused("the repository answers \(status)")
        default: nil
        }
    }

    /// The verdicts of a batch's answer, up to the first entry that is to be sent again. Nil for what is no answer to so
    /// many entries.
    static func verdicts(_ body: [UInt8], count: Int) -> FeedAnswer? {
        guard let json = try? JSONTree.read(body, depthMax: 64), case .array(let entries)? = json["entry"]?.value,
            entries.count == count
        else { return nil }
        var verdicts: [FeedAnswer.Verdict] = []
        for entry in entries {
            guard case .string(let text)? = entry["response"]?["status"]?.value, let status = Int(text.prefix(3)) else {
                return FeedAnswer(verdicts, failure: "an entry of the batch has no status")
            }
            guard let verdict = verdict(status) else {
                return FeedAnswer(verdicts, failure: "an entry of the batch is answered \(status)")
            }
            verdicts.append(verdict)
        }
        return FeedAnswer(verdicts)
    }
}
