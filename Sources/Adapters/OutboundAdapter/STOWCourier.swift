import Access
import AsyncHTTPClient
import DICOMData
import DICOMTranslation
import NIOCore
import Workflow

/// Carries the instances that a site's rules send to one DICOMweb server, one in each Store transaction, with a token
/// where it wants one. PS3.18 §10.5.
package struct STOWCourier: Courier {
    package var policy: DeliveryPolicy { forwarding.terms.policy }

    private let forwarding: Forwarding
    private let url: String
    private let index: any ImagingIndex
    private let sender: HTTPSSender
    private let tokens: AccessTokenSource?
    private let taken: [TransferSyntax]
    private let transcoding: PixelTranscoding?
    private let refused: RefusedForms

    /// Of an answer about one instance.
    private static let answerBytesMax = 256 << 10
    /// For one transaction; an attempt may take a little longer.
    private static let time = TimeAmount.minutes(55)

    /// - Parameters:
    ///   - url: of the service's `studies` resource.
    ///   - taken: the transfer syntaxes that it takes, the best first, none without the VR or in big endian; empty where
    ///     that is not known.
    ///   - transcoding: makes what the server does not take in its own transfer syntax; nil for no such thing.
    ///   - now: a test's own.
    package init(
        _ forwarding: Forwarding, to url: String, index: any ImagingIndex, sender: HTTPSSender,
        tokens: AccessTokenSource?, taken: [TransferSyntax] = [], transcoding: PixelTranscoding? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.taken = taken
        self.transcoding = transcoding
        refused = RefusedForms(now: now)
        self.forwarding = forwarding
        self.url = url
        self.index = index
        self.sender = sender
        self.tokens = tokens
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        await forwarding.deliver(entry) { await send($0, of: entry) }
    }

    package func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {
        try forwarding.settled(entry, verdict, in: unit)
    }

    /// What is made of an instance.
    private enum Making {
        case own, decoded
        /// The first that can be made.
        case first([ForwardedForm])
    }

    /// Sends it as it is stored or was changed, and where the server does not take images in that transfer syntax once
    /// more, decoded: at once where it has just said so of another one. Where it is known what it takes, as that alone.
    private func send(_ item: Forwarding.Item, of entry: OutboxEntry) async -> DeliveryOutcome {
        if !taken.isEmpty { return await sendTaken(item, of: entry) }
        let stored = item.rewritten?.storedSyntax ?? TransferSyntax(uid: item.instance.transferSyntaxUID)
        guard transcoding != nil, let stored, PixelTranscoding.decompresses(stored, to: .explicitVRLittleEndian) else {
            return await send(item, of: entry, as: .own).outcome
        }
        let form = RefusedForms.Form(sopClassUID: item.sopClassUID, transferSyntaxUID: stored.uid)
        if refused.contains(form) {
            let (outcome, refusesForm) = await send(item, of: entry, as: .decoded)
            guard refusesForm else { return outcome }
            // It takes other forms now.
            refused.forget(form)
            return await send(item, of: entry, as: .own).outcome
        }
        let (outcome, refusesForm) = await send(item, of: entry, as: .own)
        guard refusesForm else { return outcome }
        let decoded = await send(item, of: entry, as: .decoded).outcome
        if decoded == .delivered { refused.note(form) }
        return decoded
    }

    /// Sends it in the first transfer syntax that the server takes and that can be made of it.
    private func sendTaken(_ item: Forwarding.Item, of entry: OutboxEntry) async -> DeliveryOutcome {
        let forms: [ForwardedForm]
        do {
            let stored = try storedSyntax(item)
            forms = ForwardedForm.choices(
                storedIn: item.rewritten?.storedSyntax ?? stored,
                goingAs: item.rewritten?.transferSyntaxes[0] ?? Self.overTheWeb(stored), taken: taken,
                transcodes: transcoding != nil)
        } catch { return Forwarding.outcome(error) }
        guard !forms.isEmpty else { return notTaken(item) }
        return await send(item, of: entry, as: .first(forms)).outcome
    }

    private func notTaken(_ item: Forwarding.Item) -> DeliveryOutcome {
        let stored = item.rewritten?.storedSyntax.uid ?? item.instance.transferSyntaxUID
        return .permanent(
            "none of `transfer-syntaxes` of \(forwarding.terms.name) can be made of an instance of class "
                + "\(item.sopClassUID) stored as \(stored)")
    }

    /// - Returns: also whether the server refused the form.
    private func send(
        _ item: Forwarding.Item, of entry: OutboxEntry, as making: Making
    ) async -> (outcome: DeliveryOutcome, refusesForm: Bool) {
        let boundary = "hilum-" + entry.eventID.value
        let body: ForwardBody
        do {
            switch making {
            case .own: body = try await self.body(item, boundary)
            case .decoded: body = try await transcodedBody(item, in: .explicitVRLittleEndian, boundary)
            case .first(let forms):
                guard let made = try await firstBody(item, as: forms, boundary) else { return (notTaken(item), false) }
                body = made
            }
        } catch { return (forwarding.failed(entry, decoding: error), false) }
        var headers = [
            OutboundHeader(
                trusted: "Content-Type", "multipart/related; type=\"application/dicom\"; boundary=\(boundary)"),
            OutboundHeader(trusted: "Accept", "application/dicom+json"),
        ]
        do {
            let token = try await tokens?.token()
            if let token { headers.append(OutboundHeader(trusted: "Authorization", "Bearer " + token)) }
            let answer = try await sender.send(
                url, headers: headers, body: .stream(body, length: body.count.map { .known($0) } ?? .unknown),
                within: Self.time, bodyBytesMax: Self.answerBytesMax)
            if answer.status == 401, let token { tokens?.forget(token) }
            let said = STOWAnswer(answer)
            let outcome = said.outcome(
                of: item.sopInstanceUID, at: forwarding.terms.name, isRepeat: entry.attempts > 0)
            if case .transient(let text) = outcome { return (forwarding.failed(entry, text), false) }
            return (outcome, said.refusesForm(of: item.sopInstanceUID))
        } catch OutboundFailure.broken {
            let text = "\(forwarding.terms.name): \(OutboundFailure.broken.rawValue)"
            return (forwarding.failed(entry, text), false)
        } catch {
            return (outcome(error), false)
        }
    }

    private func outcome(_ error: any Error) -> DeliveryOutcome {
        let name = forwarding.terms.name
        return switch error {
        case let failure as AccessTokenSource.Failure:
            failure.retryAfterSeconds.map {
                .overloaded("\(name): \(failure.text)", retryAfterSeconds: $0)
            } ?? .unreachable("\(name): \(failure.text)")
        case let refusal as OutboundRefusal: .unreachable("\(name): \(refusal.rawValue)")
        case let failure as OutboundFailure: .unreachable("\(name): \(failure.rawValue)")
        default: Forwarding.outcome(error)
        }
    }

    /// One part: the file as it is stored, or made anew. Without the VR, or in big endian, no file goes over the web.
    /// PS3.18 §8.7.3.
    private func body(_ item: Forwarding.Item, _ boundary: String) async throws -> ForwardBody {
        let stored = try storedSyntax(item)
        var syntax = Self.overTheWeb(stored)
        var file: [RecodedDataSet.Piece] = [.stored(0..<item.instance.size, wordSize: 1)]
        if let rewritten = item.rewritten {
            syntax = rewritten.transferSyntaxes[0]
            file = try await self.file(try await rewritten.encoded(in: syntax, from: item.reader), of: item, as: syntax)
        } else if syntax != stored {
            file = try await self.file(try await recoded(item, in: syntax), of: item, as: syntax)
        }
        return body(file, nil, of: item, as: syntax, boundary)
    }

    private func storedSyntax(_ item: Forwarding.Item) throws -> TransferSyntax {
        guard let stored = TransferSyntax(uid: item.instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        return stored
    }

    /// PS3.18 §8.7.3.
    private static func overTheWeb(_ stored: TransferSyntax) -> TransferSyntax {
        stored.isImplicit || stored.isBigEndian ? .explicitVRLittleEndian : stored
    }

    /// The first of several forms that it can be had in; nil where it can be had in none.
    private func firstBody(
        _ item: Forwarding.Item, as forms: [ForwardedForm], _ boundary: String
    ) async throws -> ForwardBody? {
        for form in forms {
            switch form {
            case .own: return try await body(item, boundary)
            case .inflated: return try await inflatedBody(item, boundary)
            case .transcoded(let syntax):
                do {
                    return try await transcodedBody(item, in: syntax, boundary)
                } catch { guard PixelTranscoding.isOfSyntax(error) else { throw error } }
            }
        }
        return nil
    }

    /// In memory: it is small enough to be, or is not sent.
    private func inflatedBody(_ item: Forwarding.Item, _ boundary: String) async throws -> ForwardBody {
        let syntax = TransferSyntax.explicitVRLittleEndian
        let reservation = transcoding?.reservation() ?? MemoryBudget.unlimited.reservation()
        let dataSet = try await InstanceRewriting.inflated(
            try StoredHeader(try await header(item)), from: item.reader, holding: reservation)
        let recoded = try await RecodedDataSet(dataSet, of: syntax, in: syntax) { range in
            try await item.reader.read(offset: range.lowerBound, length: range.count)
        }
        var body = body(try await file(recoded, of: item, as: syntax), nil, of: item, as: syntax, boundary)
        body.reservation = reservation
        return body
    }

    /// Bytes of frames that are kept between their check and their sending.
    private static let keptBytesMax = 64 << 20

    /// The same as an image of another transfer syntax. Every frame is made once before anything is sent.
    private func transcodedBody(
        _ item: Forwarding.Item, in syntax: TransferSyntax, _ boundary: String
    ) async throws -> ForwardBody {
        guard let transcoding else { throw StoreError(.misuse, "nothing decodes images here") }
        var decoded: TranscodedInstance
        if let rewritten = item.rewritten {
            decoded = try await transcoding.instance(rewritten, in: syntax, from: item.reader)
        } else {
            decoded = try await transcoding.instance(
                try StoredHeader(try await header(item)), in: syntax, from: item.reader)
        }
        try await decoded.check(keeping: Self.keptBytesMax)
        let meta = FileMeta(
            sopClassUID: decoded.sopClassUID, sopInstanceUID: decoded.sopInstanceUID, transferSyntax: syntax)
        return body([.bytes(try meta.encoded())], decoded, of: item, as: syntax, boundary)
    }

    private func body(
        _ file: [RecodedDataSet.Piece], _ decoded: TranscodedInstance?, of item: Forwarding.Item,
        as syntax: TransferSyntax, _ boundary: String
    ) -> ForwardBody {
        let head =
            "--\(boundary)\r\nContent-Type: application/dicom; transfer-syntax=\(syntax.uid)\r\n\r\n"
        let (terms, rate) = (forwarding.terms, item.bytesPerSecond)
        let front = [.bytes(Array(head.utf8))] + file
        return ForwardBody(
            pieces: front + [.bytes(Array("\r\n--\(boundary)--\r\n".utf8))],
            decoded: decoded.map { ($0, front.count) }, reader: item.reader
        ) { try await terms.pace.take($0, bytesPerSecond: rate) }
    }

    /// PS3.10 §7.1.
    private func file(
        _ recoded: RecodedDataSet, of item: Forwarding.Item, as syntax: TransferSyntax
    ) async throws -> [RecodedDataSet.Piece] {
        let meta = FileMeta(
            sopClassUID: item.sopClassUID, sopInstanceUID: item.sopInstanceUID, transferSyntax: syntax)
        return [.bytes(try meta.encoded())] + recoded.pieces
    }

    private func recoded(_ item: Forwarding.Item, in syntax: TransferSyntax) async throws -> RecodedDataSet {
        try await RecodedDataSet(try StoredHeader(try await header(item)), in: syntax) { range in
            try await item.reader.read(offset: range.lowerBound, length: range.count)
        }
    }

    private func header(_ item: Forwarding.Item) async throws -> InstanceHeader {
        let instance = item.instance
        let header = try await index.headers(
            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
            sopInstanceUID: instance.sopInstanceUID, after: nil, limit: 1, access: .server(requestID: "forward")
        ).first
        guard let header else { throw StoreError(.notFound, "the instance is not there any more") }
        return header
    }
}
