CREATE TABLE users (
	id VARCHAR(16) NOT NULL, 
	username VARCHAR(40) NOT NULL, 
	username_key VARCHAR(80) NOT NULL, 
	password_hash VARCHAR(100) NOT NULL, 
	role INTEGER NOT NULL, 
	privacy VARCHAR(10) DEFAULT 'full' NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_login_at BIGINT, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_username_key UNIQUE (username_key)
)
--
CREATE TABLE throttles (
	key VARCHAR(120) NOT NULL, 
	failures INTEGER NOT NULL, 
	last_at BIGINT NOT NULL, 
	banned_until BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_throttles PRIMARY KEY (key)
)
--
CREATE TABLE auth_state (
	key VARCHAR(20) NOT NULL, 
	value JSONB NOT NULL, 
	CONSTRAINT pk_auth_state PRIMARY KEY (key)
)
--
CREATE TABLE players (
	id VARCHAR(16) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	key VARCHAR(120) NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	given_name VARCHAR(40), 
	maker VARCHAR(80) NOT NULL, 
	model VARCHAR(80) NOT NULL, 
	standing VARCHAR(8) NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	least_role INTEGER NOT NULL, 
	mac VARCHAR(17), 
	address VARCHAR(15) NOT NULL, 
	sink JSONB NOT NULL, 
	last_seen_at BIGINT NOT NULL, 
	CONSTRAINT pk_players PRIMARY KEY (id)
)
--
CREATE UNIQUE INDEX uq_players_kind_key ON players (kind, key)
--
CREATE TABLE showings (
	id VARCHAR(16) NOT NULL, 
	player_id VARCHAR(16) NOT NULL, 
	user_id VARCHAR(16), 
	user_name VARCHAR(80) NOT NULL, 
	session_id VARCHAR(64), 
	device VARCHAR(64), 
	files JSONB NOT NULL, 
	place INTEGER NOT NULL, 
	repeat VARCHAR(4) NOT NULL, 
	position FLOAT NOT NULL, 
	fetched_by VARCHAR(15), 
	started_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	CONSTRAINT pk_showings PRIMARY KEY (id)
)
--
CREATE INDEX ix_showings_player_id ON showings (player_id)
--
CREATE INDEX ix_showings_ended_at ON showings (ended_at)
--
CREATE TABLE access_log (
	id BIGSERIAL NOT NULL, 
	seq BIGINT NOT NULL, 
	event_id VARCHAR(36) NOT NULL, 
	version INTEGER NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	user_id VARCHAR(16), 
	device VARCHAR(64), 
	file_id VARCHAR(16), 
	bytes_served BIGINT NOT NULL, 
	ip VARCHAR(45), 
	user_agent VARCHAR(200), 
	payload JSONB NOT NULL, 
	ts BIGINT NOT NULL, 
	CONSTRAINT pk_access_log PRIMARY KEY (id), 
	CONSTRAINT uq_access_log_seq UNIQUE (seq), 
	CONSTRAINT uq_access_log_event_id UNIQUE (event_id)
)
--
CREATE INDEX ix_access_log_user_id_ts ON access_log (user_id, ts)
--
CREATE INDEX ix_access_log_ts ON access_log (ts)
--
CREATE INDEX ix_access_log_file_id_ts ON access_log (file_id, ts)
--
CREATE TABLE log_state (
	one INTEGER NOT NULL, 
	epoch VARCHAR(36) NOT NULL, 
	last_seq BIGINT NOT NULL, 
	CONSTRAINT pk_log_state PRIMARY KEY (one)
)
--
CREATE TABLE positions (
	user_id VARCHAR(16) NOT NULL, 
	file_id VARCHAR(16) NOT NULL, 
	seconds FLOAT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_positions PRIMARY KEY (user_id, file_id)
)
--
CREATE INDEX ix_positions_user_id_updated_at ON positions (user_id, updated_at)
--
CREATE TABLE favourites (
	user_id VARCHAR(16) NOT NULL, 
	file_id VARCHAR(16) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_favourites PRIMARY KEY (user_id, file_id)
)
--
CREATE TABLE popularity (
	file_id VARCHAR(16) NOT NULL, 
	plays INTEGER NOT NULL, 
	CONSTRAINT pk_popularity PRIMARY KEY (file_id)
)
--
CREATE TABLE tvs (
	id VARCHAR(16) NOT NULL, 
	key VARCHAR(80) NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	family VARCHAR(40) NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	code VARCHAR(4) NOT NULL, 
	folders JSONB NOT NULL, 
	user_id VARCHAR(16), 
	address VARCHAR(45) NOT NULL, 
	user_agent VARCHAR(200) NOT NULL, 
	first_seen_at BIGINT NOT NULL, 
	last_seen_at BIGINT NOT NULL, 
	CONSTRAINT pk_tvs PRIMARY KEY (id), 
	CONSTRAINT uq_tvs_key UNIQUE (key)
)
--
CREATE TABLE media_server (
	one INTEGER NOT NULL, 
	udn VARCHAR(41) NOT NULL, 
	boot_id BIGINT NOT NULL, 
	CONSTRAINT pk_media_server PRIMARY KEY (one)
)
--
CREATE TABLE roots (
	pk BIGSERIAL NOT NULL, 
	root_id VARCHAR(64) NOT NULL, 
	path BYTEA NOT NULL, 
	adopted_at BIGINT NOT NULL, 
	CONSTRAINT pk_roots PRIMARY KEY (pk), 
	CONSTRAINT uq_roots_root_id UNIQUE (root_id), 
	CONSTRAINT uq_roots_path UNIQUE (path)
)
--
CREATE TABLE thumbnails (
	file_id VARCHAR(16) NOT NULL, 
	size INTEGER NOT NULL, 
	thumb_path TEXT, 
	stamp VARCHAR(40) NOT NULL, 
	generated_at BIGINT NOT NULL, 
	CONSTRAINT pk_thumbnails PRIMARY KEY (file_id, size)
)
--
CREATE TABLE library_state (
	one INTEGER NOT NULL, 
	revision BIGINT NOT NULL, 
	CONSTRAINT pk_library_state PRIMARY KEY (one)
)
--
CREATE TABLE words (
	word VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_words PRIMARY KEY (word)
)
--
CREATE TABLE machines (
	id VARCHAR(16) NOT NULL, 
	name VARCHAR(60) NOT NULL, 
	name_key VARCHAR(60) NOT NULL, 
	mac VARCHAR(17) NOT NULL, 
	secure_on VARCHAR(17), 
	address VARCHAR(15), 
	library_root VARCHAR(1024), 
	schedule JSONB NOT NULL, 
	woken_at BIGINT, 
	CONSTRAINT pk_machines PRIMARY KEY (id), 
	CONSTRAINT uq_machines_name_key UNIQUE (name_key), 
	CONSTRAINT uq_machines_mac UNIQUE (mac)
)
--
CREATE TABLE uploads (
	id VARCHAR(32) NOT NULL, 
	user_id VARCHAR(16) NOT NULL, 
	device VARCHAR(64), 
	root_id VARCHAR(64) NOT NULL, 
	folder TEXT NOT NULL, 
	name TEXT NOT NULL, 
	length BIGINT, 
	received BIGINT NOT NULL, 
	resumable BOOLEAN NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	target BYTEA, 
	inode BIGINT, 
	sha256 VARCHAR(64), 
	file_id VARCHAR(16), 
	duplicate BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	touched_at BIGINT NOT NULL, 
	CONSTRAINT pk_uploads PRIMARY KEY (id)
)
--
CREATE INDEX ix_uploads_user_id_name ON uploads (user_id, name)
--
CREATE INDEX ix_uploads_state ON uploads (state)
--
CREATE TABLE sessions (
	id VARCHAR(32) NOT NULL, 
	user_id VARCHAR(16), 
	jwt_id VARCHAR(32) NOT NULL, 
	device VARCHAR(16) NOT NULL, 
	device_name VARCHAR(80) NOT NULL, 
	channel VARCHAR(5) NOT NULL, 
	method VARCHAR(10) NOT NULL, 
	epoch INTEGER NOT NULL, 
	issued_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	last_seen_at BIGINT NOT NULL, 
	address VARCHAR(45) NOT NULL, 
	user_agent VARCHAR(200) NOT NULL, 
	revoked BOOLEAN NOT NULL, 
	counter INTEGER NOT NULL, 
	rotated_at BIGINT, 
	rotated_address VARCHAR(45), 
	rotated_agent VARCHAR(200), 
	CONSTRAINT pk_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
--
CREATE INDEX ix_sessions_user_id ON sessions (user_id)
--
CREATE TABLE folders (
	pk BIGSERIAL NOT NULL, 
	id VARCHAR(16) NOT NULL, 
	root_pk BIGINT NOT NULL, 
	parent_pk BIGINT, 
	raw_name BYTEA NOT NULL, 
	path BYTEA NOT NULL, 
	name TEXT NOT NULL, 
	display_path TEXT NOT NULL, 
	sort_name TEXT NOT NULL, 
	depth INTEGER NOT NULL, 
	inode BIGINT NOT NULL, 
	audience_rule VARCHAR(16), 
	files INTEGER NOT NULL, 
	files_everyone INTEGER NOT NULL, 
	folders INTEGER NOT NULL, 
	folders_everyone INTEGER NOT NULL, 
	gone_at BIGINT, 
	CONSTRAINT pk_folders PRIMARY KEY (pk), 
	CONSTRAINT uq_folders_parent_pk_raw_name UNIQUE (parent_pk, raw_name), 
	CONSTRAINT uq_folders_id UNIQUE (id), 
	CONSTRAINT fk_folders_root_pk_roots FOREIGN KEY(root_pk) REFERENCES roots (pk) ON DELETE CASCADE, 
	CONSTRAINT fk_folders_parent_pk_folders FOREIGN KEY(parent_pk) REFERENCES folders (pk) ON DELETE CASCADE
)
--
CREATE INDEX ix_folders_display_path ON folders (display_path)
--
CREATE INDEX ix_folders_parent_pk_sort_name ON folders (parent_pk, sort_name)
--
CREATE INDEX ix_folders_root_pk_inode ON folders (root_pk, inode)
--
CREATE TABLE shares (
	id VARCHAR(16) NOT NULL, 
	owner_id VARCHAR(16) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	generation INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	password_hash VARCHAR(100), 
	one_time BOOLEAN NOT NULL, 
	download BOOLEAN NOT NULL, 
	with_place BOOLEAN NOT NULL, 
	revoked BOOLEAN NOT NULL, 
	bound_to VARCHAR(32), 
	CONSTRAINT pk_shares PRIMARY KEY (id), 
	CONSTRAINT fk_shares_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE CASCADE
)
--
CREATE INDEX ix_shares_owner_id ON shares (owner_id)
--
CREATE TABLE files (
	pk BIGSERIAL NOT NULL, 
	id VARCHAR(16) NOT NULL, 
	root_pk BIGINT NOT NULL, 
	folder_pk BIGINT NOT NULL, 
	raw_name BYTEA NOT NULL, 
	path BYTEA NOT NULL, 
	name TEXT NOT NULL, 
	sort_name TEXT NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	mime_type VARCHAR(100) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	inode BIGINT NOT NULL, 
	audience VARCHAR(16) NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_indexed_at BIGINT NOT NULL, 
	last_accessed_at BIGINT, 
	uploaded_by VARCHAR(16), 
	sha256 VARCHAR(64), 
	duration_sec FLOAT, 
	resolution VARCHAR(16), 
	artist TEXT, 
	album TEXT, 
	title TEXT, 
	facts JSONB NOT NULL, 
	facts_from VARCHAR(8), 
	tags JSONB NOT NULL, 
	tag_keys TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	folded_name TEXT NOT NULL, 
	gone_at BIGINT, 
	CONSTRAINT pk_files PRIMARY KEY (pk), 
	CONSTRAINT uq_files_folder_pk_raw_name UNIQUE (folder_pk, raw_name), 
	CONSTRAINT uq_files_id UNIQUE (id), 
	CONSTRAINT fk_files_root_pk_roots FOREIGN KEY(root_pk) REFERENCES roots (pk) ON DELETE CASCADE, 
	CONSTRAINT fk_files_folder_pk_folders FOREIGN KEY(folder_pk) REFERENCES folders (pk) ON DELETE CASCADE
)
--
CREATE INDEX ix_files_by_name ON files (gone_at, sort_name, pk, audience, kind, root_pk)
--
CREATE INDEX ix_files_by_time ON files (gone_at, created_at, pk, audience, kind, root_pk)
--
CREATE INDEX ix_files_sha256 ON files (sha256)
--
CREATE INDEX ix_files_tags_gin ON files USING gin (tags)
--
CREATE INDEX ix_files_root_pk_inode ON files (root_pk, inode)
--
CREATE INDEX ix_files_artist_album ON files (artist, album)
--
CREATE INDEX ix_files_listing ON files (folder_pk, gone_at, sort_name, pk, audience)
--
CREATE INDEX ix_files_shown ON files (gone_at, audience, kind, root_pk)
--
CREATE INDEX ix_files_name_mime_type ON files (name, mime_type)
--
CREATE INDEX ix_files_undescribed ON files (facts_from, created_at)
--
CREATE EXTENSION IF NOT EXISTS pg_trgm
--
CREATE INDEX ix_files_folded_trgm ON files USING gin (folded gin_trgm_ops)
--
CREATE TABLE share_files (
	share_id VARCHAR(16) NOT NULL, 
	file_id VARCHAR(16) NOT NULL, 
	position INTEGER NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	CONSTRAINT pk_share_files PRIMARY KEY (share_id, file_id), 
	CONSTRAINT fk_share_files_share_id_shares FOREIGN KEY(share_id) REFERENCES shares (id) ON DELETE CASCADE
)
--
CREATE TABLE share_opens (
	id VARCHAR(32) NOT NULL, 
	share_id VARCHAR(16) NOT NULL, 
	opened_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	device_name VARCHAR(80) NOT NULL, 
	address VARCHAR(45) NOT NULL, 
	CONSTRAINT pk_share_opens PRIMARY KEY (id), 
	CONSTRAINT fk_share_opens_share_id_shares FOREIGN KEY(share_id) REFERENCES shares (id) ON DELETE CASCADE
)
--
CREATE INDEX ix_share_opens_share_id ON share_opens (share_id)
--
CREATE TABLE trash (
	file_pk BIGINT NOT NULL, 
	raw_name BYTEA NOT NULL, 
	trashed_at BIGINT NOT NULL, 
	trashed_by VARCHAR(16), 
	CONSTRAINT pk_trash PRIMARY KEY (file_pk), 
	CONSTRAINT fk_trash_file_pk_files FOREIGN KEY(file_pk) REFERENCES files (pk) ON DELETE CASCADE
)
