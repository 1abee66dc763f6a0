package app.mantel.analytics.library;

import org.jspecify.annotations.Nullable;

/**
 * A file as the appliance's index has it.
 *
 * @param path beneath {@code root}, with {@code /}
 * @param pathBase64 the path's bytes where it is no UTF-8; {@code path} is then for display
 * @param type video, audio, image, document or other
 * @param mtimeNs nanoseconds since the epoch
 * @param createdAt epoch milliseconds
 */
public record KnownFile(
    String fileId,
    String root,
    String path,
    @Nullable String pathBase64,
    String name,
    String folder,
    String type,
    String mimeType,
    long sizeBytes,
    long mtimeNs,
    long createdAt,
    @Nullable String uploadedBy) {}
