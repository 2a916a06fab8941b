import DICOMData
import PixelCodecs

/// How an instance is made for a DICOMweb server of which is known what transfer syntaxes it takes. PS3.18 §8.7.3, §10.5.
package enum ForwardedForm: Sendable, Equatable {
    /// In its own transfer syntax over the web.
    case own
    /// As what is deflated inflates to. PS3.5 §A.5.
    case inflated
    /// With its pixels in another transfer syntax, none of their values lost. PS3.5 §8.2.
    case transcoded(TransferSyntax)

    /// What is to be tried, one after another: its own form alone where that is taken, else those of `taken` that may be
    /// made of it, in their order. Empty for none.
    ///
    /// - Parameters:
    ///   - stored: in which its pixels lie in the file.
    ///   - own: in which it goes where nothing is known of the server.
    ///   - taken: in which none is without the VR or in big endian.
    ///   - transcodes: whether pixels can be coded anew.
    package static func choices(
        storedIn stored: TransferSyntax, goingAs own: TransferSyntax, taken: [TransferSyntax], transcodes: Bool
    ) -> [ForwardedForm] {
        if taken.contains(own) { return [.own] }
        if stored.isDeflated {
            return taken.contains { RecodedDataSet.isPossible(from: stored, to: $0) } ? [.inflated] : []
        }
        return taken.filter {
            transcodes && PixelTranscoding.isPossible(from: stored, to: $0) && !ObjectTranscoder.losesValues(in: $0)
        }.map { .transcoded($0) }
    }
}
