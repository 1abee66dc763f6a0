/** Every text of the page, in one place; a second language is a second object of this shape. */

import { add } from './add'
import { me, pair, share, signIn, who } from './doors'
import { box, insights, log } from './insights'
import { file, home, library, offline, select, trash } from './library'
import { play, players } from './play'
import { plural } from './plural'

export const words = {
  name: 'Mantel',
  back: 'Back',
  close: 'Close',
  more: 'More',
  cancel: 'Cancel',
  save: 'Save',
  all: 'All',
  retry: 'Try again',
  loading: 'Loading',
  of: (part: string, whole: string) => `${part} of ${whole}`,
  kindsMany: { video: 'Videos', audio: 'Music', image: 'Photos', document: 'Documents', other: 'Other' },
  roles: { guest: 'Guest', viewer: 'Viewer', editor: 'Editor', admin: 'Admin' },

  tabs: {
    label: 'Main',
    home: 'Home',
    library: 'Library',
    add: 'Add',
    players: 'Players',
    insights: 'Insights',
  },

  when: {
    now: 'just now',
    minutes: (n: number) => `${n} min ago`,
    today: 'today',
    yesterday: 'yesterday',
    days: (n: number) => `${n} days ago`,
  },

  counted: {
    files: (n: number) => plural(n, 'file', 'files'),
    folders: (n: number) => plural(n, 'folder', 'folders'),
    albums: (n: number) => plural(n, 'album', 'albums'),
    songs: (n: number) => plural(n, 'song', 'songs'),
    people: (n: number) => plural(n, 'person', 'people'),
    plays: (n: number) => plural(n, 'play', 'plays'),
    downloads: (n: number) => plural(n, 'download', 'downloads'),
  },

  rolesMean: {
    guest: 'looks and plays',
    viewer: 'also downloads, casts and keeps favourites',
    editor: 'also adds, renames and shares',
    admin: 'also deletes and manages people and TVs',
  },

  wrong: {
    offline: 'The box does not answer',
    offlineDetail: 'What is on this page stays. It goes on by itself when the box is back.',
    failed: 'That did not work',
    notFound: 'It is not here any more',
    notFoundDetail: 'It was moved to the trash or its disk is away.',
    mayNot: 'That needs another role. Ask whoever looks after the box.',
    tooOften: 'Too many tries. Wait a minute, then try again.',
  },

  toast: {
    arrived: (n: number) => `${plural(n, 'new file', 'new files')} on the shelf`,
  },

  ...{ home, library, select, file, trash, offline },
  ...{ play, players, add },
  ...{ insights, log, box },
  ...{ signIn, me, share, pair, who },
}

export type Words = typeof words
