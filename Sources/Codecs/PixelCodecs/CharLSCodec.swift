import CCharLS
import DICOMPixels

/// JPEG-LS by CharLS. ITU-T T.87; PS3.5 §A.4.3.
enum CharLSCodec {
    private static func check(_ code: charls_jpegls_errc) throws(PixelCodecError) {
        guard code.rawValue == 0 else {
            let text = charls_get_error_message(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
            throw .malformed(String(text.prefix(120)))
        }
    }

    /// Decodes a codestream whose header agrees with the image. Colour is as coded; a colour transformation of the
    /// codestream's own is undone.
    static func decode(_ frame: [UInt8], _ image: ImagePixel) throws(PixelCodecError) -> NativeFrame {
        guard let codec = charls_jpegls_decoder_create() else { throw .malformed("no memory for a decoder") }
        defer { charls_jpegls_decoder_destroy(codec) }
        var info = charls_frame_info()
        var near: Int32 = 0
        var mode = CHARLS_INTERLEAVE_MODE_NONE
        var out: [UInt8] = []
        let size = PixelCells.sampleBytes(image.bitsAllocated)
        // The source is read by each call.
        let result = frame.withUnsafeBytes { bytes -> Result<Void, PixelCodecError> in
            do throws(PixelCodecError) {
                guard let base = bytes.baseAddress else { throw .malformed("no bytes") }
                try check(charls_jpegls_decoder_set_source_buffer(codec, base, bytes.count))
                try check(charls_jpegls_decoder_read_header(codec))
                try check(charls_jpegls_decoder_get_frame_info(codec, &info))
                try check(charls_jpegls_decoder_get_near_lossless(codec, 0, &near))
                try check(charls_jpegls_decoder_get_interleave_mode(codec, &mode))
                try image.agree(
                    rows: Int(info.height), columns: Int(info.width), samples: Int(info.component_count),
                    precision: Int(info.bits_per_sample))
                guard info.bits_per_sample >= 2 else { throw .malformed("\(info.bits_per_sample) bits a sample") }
                var count = 0
                try check(charls_jpegls_decoder_get_destination_size(codec, 0, &count))
                let coded = info.bits_per_sample <= 8 ? 1 : 2
                guard count == image.rows * image.columns * image.samplesPerPixel * coded else {
                    throw .malformed("\(count) bytes of samples")
                }
                out = [UInt8](repeating: 0, count: count)
                let code = out.withUnsafeMutableBytes { out -> charls_jpegls_errc in
                    guard let base = out.baseAddress else { return CHARLS_JPEGLS_ERRC_INVALID_ARGUMENT }
                    return charls_jpegls_decoder_decode_to_buffer(codec, base, out.count, 0)
                }
                try check(code)
                out = PixelCells.widened(out, from: coded, to: size)
            } catch { return .failure(error) }
            return .success(())
        }
        try result.get()
        if mode == CHARLS_INTERLEAVE_MODE_NONE, image.samplesPerPixel > 1 {
            out = PixelCells.byPixel(out, samples: image.samplesPerPixel, size)
        }
        return try PixelCells.decoded(
            out, image, size: size, precision: Int(info.bits_per_sample), isLossless: near == 0)
    }

    /// Writes JPEG-LS, three samples a pixel by line. Signed values go as their bits, without loss only.
    static func encode(
        _ frame: NativeFrame, near: Int
    ) throws(PixelCodecError) -> EncodedFrame {
        let bits = max(2, frame.bitsStored)
        guard frame.sampleBytes <= 2, frame.samplesPerPixel == 1 || frame.samplesPerPixel == 3 else {
            throw .unsupported("JPEG-LS of \(frame.samplesPerPixel) samples of \(8 * frame.sampleBytes) bits")
        }
        guard near == 0 || !frame.isSigned else { throw .unsupported("near-lossless JPEG-LS of signed values") }
        guard near <= min(255, (1 << bits - 1) / 2) else { throw .unsupported("JPEG-LS with an error of \(near)") }
        // 9 and more bits are in two bytes, 8 and fewer in one.
        var pixels = frame.bytes
        if frame.sampleBytes == 2, bits <= 8 { pixels = stride(from: 0, to: pixels.count, by: 2).map { pixels[$0] } }
        mask(&pixels, bits: bits)
        guard let codec = charls_jpegls_encoder_create() else { throw .malformed("no memory for an encoder") }
        defer { charls_jpegls_encoder_destroy(codec) }
        var info = charls_frame_info(
            width: UInt32(frame.columns), height: UInt32(frame.rows), bits_per_sample: Int32(bits),
            component_count: Int32(frame.samplesPerPixel))
        try check(charls_jpegls_encoder_set_frame_info(codec, &info))
        try check(charls_jpegls_encoder_set_near_lossless(codec, Int32(near)))
        if frame.samplesPerPixel == 3 {
            try check(charls_jpegls_encoder_set_interleave_mode(codec, CHARLS_INTERLEAVE_MODE_LINE))
        }
        // What does not shrink grows by little; the estimate of the library is what it needs at most.
        var estimate = 0
        try check(charls_jpegls_encoder_get_estimated_destination_size(codec, &estimate))
        var out = [UInt8](repeating: 0, count: max(estimate, pixels.count + pixels.count / 2 + 4_096))
        var written = 0
        let code = out.withUnsafeMutableBytes { out -> charls_jpegls_errc in
            guard let base = out.baseAddress else { return CHARLS_JPEGLS_ERRC_INVALID_ARGUMENT }
            let set = charls_jpegls_encoder_set_destination_buffer(codec, base, out.count)
            guard set.rawValue == 0 else { return set }
            let encoded = pixels.withUnsafeBytes { pixels -> charls_jpegls_errc in
                guard let base = pixels.baseAddress else { return CHARLS_JPEGLS_ERRC_INVALID_ARGUMENT }
                return charls_jpegls_encoder_encode_from_buffer(codec, base, pixels.count, 0)
            }
            guard encoded.rawValue == 0 else { return encoded }
            return charls_jpegls_encoder_get_bytes_written(codec, &written)
        }
        try check(code)
        out.removeLast(out.count - written)
        return EncodedFrame(
            bytes: out, photometricInterpretation: frame.photometricInterpretation, isLossy: near > 0)
    }

    /// Clears what a sign was extended over.
    private static func mask(_ pixels: inout [UInt8], bits: Int) {
        if bits < 8 {
            let mask = UInt8(1 << bits - 1)
            for index in pixels.indices { pixels[index] &= mask }
        } else if bits > 8, bits < 16 {
            let mask = UInt8(1 << (bits - 8) - 1)
            for index in stride(from: 1, to: pixels.count, by: 2) { pixels[index] &= mask }
        }
    }
}
