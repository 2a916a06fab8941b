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

    /// Of an answer about one instance.
    private static let answerBytesMax = 256 << 10
    /// For one transaction; an attempt may take a little longer.
    private static let time = TimeAmount.minutes(55)

    /// - Parameter url: of the service's `studies` resource.
    package init(
        _ forwarding: Forwarding, to url: String, index: any ImagingIndex, sender: HTTPSSender,
        tokens: AccessTokenSource?
    ) {
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

    private func send(_ item: Forwarding.Item, of entry: OutboxEntry) async -> DeliveryOutcome {
        let boundary = "hilum-" + entry.eventID.value
        let body: ForwardBody
        do { body = try await self.body(item, boundary) } catch { return Forwarding.outcome(error) }
        var headers = [
            OutboundHeader(
                trusted: "Content-Type", "multipart/related; type=\"application/dicom\"; boundary=\(boundary)"),
            OutboundHeader(trusted: "Accept", "application/dicom+json"),
        ]
        do {
            let token = try await tokens?.token()
            if let token { headers.append(OutboundHeader(trusted: "Authorization", "Bearer " + token)) }
            let answer = try await sender.send(
                url, headers: headers, body: .stream(body, length: .known(body.count)), within: Self.time,
                bodyBytesMax: Self.answerBytesMax)
            if answer.status == 401, let token { tokens?.forget(token) }
            let outcome = STOWAnswer(answer).outcome(
                of: item.sopInstanceUID, at: forwarding.terms.name, isRepeat: entry.attempts > 0)
            if case .transient(let text) = outcome { return forwarding.failed(entry, text) }
            return outcome
        } catch OutboundFailure.broken {
            return forwarding.failed(entry, "\(forwarding.terms.name): \(OutboundFailure.broken.rawValue)")
        } catch {
            return outcome(error)
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
        guard let stored = TransferSyntax(uid: item.instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        var syntax = stored
        var file: [RecodedDataSet.Piece] = [.stored(0..<item.instance.size, wordSize: 1)]
        if let rewritten = item.rewritten {
            syntax = rewritten.transferSyntaxes[0]
            file = try await self.file(try await rewritten.encoded(in: syntax, from: item.reader), of: item, as: syntax)
        } else if stored.isImplicit || stored.isBigEndian {
            syntax = .explicitVRLittleEndian
            file = try await self.file(try await recoded(item, in: syntax), of: item, as: syntax)
        }
        let head =
            "--\(boundary)\r\nContent-Type: application/dicom; transfer-syntax=\(syntax.uid)\r\n\r\n"
        let (terms, rate) = (forwarding.terms, item.bytesPerSecond)
        return ForwardBody(
            pieces: [.bytes(Array(head.utf8))] + file + [.bytes(Array("\r\n--\(boundary)--\r\n".utf8))],
            reader: item.reader
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
        let instance = item.instance
        let header = try await index.headers(
            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
            sopInstanceUID: instance.sopInstanceUID, after: nil, limit: 1, access: .server(requestID: "forward")
        ).first
        guard let header else { throw StoreError(.notFound, "the instance is not there any more") }
        return try await RecodedDataSet(try StoredHeader(header), in: syntax) { range in
            try await item.reader.read(offset: range.lowerBound, length: range.count)
        }
    }
}
